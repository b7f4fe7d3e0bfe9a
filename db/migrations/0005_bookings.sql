-- role: rahhal_owner
-- Trips, bookings and payments, and their lifecycles. Money is in minor units of `currency`.

-- ------------------------------------------------------------------------------------------------ tables

CREATE TABLE trips (
    id               uuid PRIMARY KEY DEFAULT app.uuidv7(),
    user_id          uuid NOT NULL REFERENCES users,
    reference        text NOT NULL UNIQUE,                -- shown to people
    destination      text NOT NULL CHECK (length(destination) BETWEEN 1 AND 80),
    city             bigint NOT NULL,                     -- GeoNames
    check_in_date    date NOT NULL,
    check_out_date   date NOT NULL,
    nights           integer GENERATED ALWAYS AS (check_out_date - check_in_date) STORED,
    travelers_count  integer NOT NULL DEFAULT 1 CHECK (travelers_count BETWEEN 1 AND 400),
    hotel_identifier text,
    hotel_name       text,
    price_per_night  bigint CHECK (price_per_night > 0),  -- the average of the nights, all rooms
    total_price      bigint CHECK (total_price > 0),
    currency         char(3),
    booking_status   text NOT NULL DEFAULT 'searching'
        CHECK (booking_status IN ('searching', 'pending', 'confirmed', 'cancelled', 'completed')),
    payment_status   text NOT NULL DEFAULT 'unpaid' CHECK (payment_status IN ('unpaid', 'pending', 'paid', 'refunded')),
    payment_method   text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CHECK (check_out_date > check_in_date),
    CHECK (num_nulls(price_per_night, total_price, currency) IN (0, 3))
);
CREATE INDEX trips_user ON trips (user_id, check_in_date);

CREATE TABLE bookings (
    id                  uuid PRIMARY KEY DEFAULT app.uuidv7(),
    trip_id             uuid NOT NULL REFERENCES trips,
    user_id             uuid NOT NULL REFERENCES users,
    hotel_id            uuid NOT NULL REFERENCES hotels,
    room_type_id        uuid NOT NULL REFERENCES room_types,
    idempotency_key     text NOT NULL UNIQUE CHECK (length(idempotency_key) BETWEEN 8 AND 128),
    rooms               smallint NOT NULL CHECK (rooms BETWEEN 1 AND 20),
    check_in            date NOT NULL,
    check_out           date NOT NULL,
    adults              smallint NOT NULL CHECK (adults >= rooms),
    children            smallint NOT NULL DEFAULT 0 CHECK (children >= 0),
    child_ages          smallint[] NOT NULL DEFAULT '{}' CHECK (0 <= ALL (child_ages) AND 17 >= ALL (child_ages)),
    guest_name          text NOT NULL CHECK (length(guest_name) BETWEEN 2 AND 60),
    guest_phone         text CHECK (guest_phone ~ '^\+[1-9][0-9]{6,14}$'),
    requests            text CHECK (length(requests) <= 500),
    -- what was agreed, frozen
    nightly             integer[] NOT NULL,               -- a room, night by night
    price_minor         bigint NOT NULL CHECK (price_minor BETWEEN 1 AND 100000000000000),
    local_fees_minor    bigint NOT NULL DEFAULT 0 CHECK (local_fees_minor >= 0),
    currency            char(3) NOT NULL REFERENCES exchange_rates,
    timezone            text NOT NULL,                    -- the hotel's
    starts_at           timestamptz NOT NULL,             -- arrival, from the hotel's own clock
    free_until          timestamptz,                      -- NULL: non-refundable
    penalty_minor       bigint NOT NULL CHECK (penalty_minor BETWEEN 0 AND price_minor),
    -- what became of it
    status              text NOT NULL DEFAULT 'held'
        CHECK (status IN ('held', 'confirmed', 'cancelled', 'expired', 'completed', 'no_show')),
    expires_at          timestamptz NOT NULL,             -- of the hold
    confirmation_number text UNIQUE,
    confirmed_at        timestamptz,
    cancelled_at        timestamptz,
    cancellation_fee_minor bigint CHECK (cancellation_fee_minor BETWEEN 0 AND price_minor),
    demo                boolean NOT NULL DEFAULT false,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CHECK (cardinality(child_ages) IN (0, children)),  -- ages are not always known
    CHECK (check_out > check_in AND check_out - check_in <= 90 AND cardinality(nightly) = check_out - check_in),
    CHECK (status IN ('held', 'expired') OR num_nulls(confirmation_number, confirmed_at) = 0),
    CHECK ((status = 'cancelled') = (num_nulls(cancelled_at, cancellation_fee_minor) = 0))
);
CREATE INDEX bookings_user ON bookings (user_id, check_in);
CREATE INDEX bookings_trip ON bookings (trip_id);
CREATE INDEX bookings_stay ON bookings (room_type_id, check_in) WHERE status IN ('held', 'confirmed');
CREATE INDEX bookings_holds ON bookings (room_type_id, expires_at) WHERE status = 'held';
CREATE INDEX bookings_expiry ON bookings (expires_at) WHERE status = 'held';

CREATE TABLE payments (
    id              uuid PRIMARY KEY DEFAULT app.uuidv7(),
    booking_id      uuid NOT NULL REFERENCES bookings,
    user_id         uuid NOT NULL REFERENCES users,
    provider        text NOT NULL CHECK (length(provider) BETWEEN 2 AND 32),
    status          text NOT NULL CHECK (status IN ('due', 'pending', 'paid', 'failed', 'void', 'refunded')),
    amount_minor    bigint NOT NULL CHECK (amount_minor >= 0),
    currency        char(3) NOT NULL REFERENCES exchange_rates,
    idempotency_key text NOT NULL UNIQUE CHECK (length(idempotency_key) BETWEEN 8 AND 160),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payments_booking ON payments (booking_id);
CREATE INDEX payments_user ON payments (user_id);

SELECT app.isolate('trips');
SELECT app.isolate('bookings');
SELECT app.isolate('payments');

-- A turn reads what is hers. Nothing of status, price or payment is hers to write.
GRANT SELECT ON trips, bookings, payments TO rahhal_app;
GRANT SELECT, INSERT, UPDATE ON trips, bookings, payments TO rahhal_service;

-- ------------------------------------------------------------------------------------------------ lifecycles

SET LOCAL ROLE rahhal_service;

-- Arguments: the column, then each legal step as «from>to».
CREATE FUNCTION app.check_step() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    step text := (to_jsonb(OLD) ->> TG_ARGV[0]) || '>' || (to_jsonb(NEW) ->> TG_ARGV[0]);
BEGIN
    IF step <> ALL (TG_ARGV[1:]) THEN
        RAISE EXCEPTION '% cannot go %', TG_TABLE_NAME, step USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
GRANT EXECUTE ON FUNCTION app.check_step() TO rahhal_owner;

SET LOCAL ROLE rahhal_owner;

CREATE TRIGGER lifecycle BEFORE UPDATE OF booking_status ON trips
    FOR EACH ROW WHEN (OLD.booking_status <> NEW.booking_status)
    EXECUTE FUNCTION app.check_step('booking_status', 'searching>pending', 'pending>searching', 'pending>confirmed',
                                    'confirmed>cancelled', 'confirmed>completed');
CREATE TRIGGER lifecycle BEFORE UPDATE OF status ON bookings
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION app.check_step('status', 'held>confirmed', 'held>expired', 'confirmed>cancelled', 'confirmed>completed',
                                    'confirmed>no_show', 'completed>no_show', 'no_show>completed');
CREATE TRIGGER lifecycle BEFORE UPDATE OF status ON payments
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION app.check_step('status', 'due>paid', 'due>void', 'pending>paid', 'pending>failed', 'failed>pending',
                                    'paid>refunded');

RESET ROLE;
