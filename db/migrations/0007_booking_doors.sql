-- role: rahhal_service
-- The doors to the rooms: hold, confirm, release, cancel, move; edit and expire.
--
-- Every door locks the room type first, lets go of its expired holds, checks, then changes nights and booking together.
-- Whoever takes several room types takes them in the order of their ids. Sold out is an answer, never an error: an error
-- would take the traveler's whole turn with it.

-- ------------------------------------------------------------------------------------------------ parts

-- A random code people can read aloud: no 0 O 1 I L. At most 32 characters, of 4.9 bits each: base64 in capitals, where a
-- letter stands for two of its 64 signs, as most digits do.
CREATE FUNCTION app.random_code(characters integer) RETURNS text LANGUAGE sql VOLATILE
    RETURN left(translate(upper(encode(sha256(uuid_send(gen_random_uuid())), 'base64') COLLATE "C"), '01OIL+/', '2345678'),
                characters);

-- An amount as it is paid: some currencies have smaller units than people have coins.
CREATE FUNCTION app.payable(amount bigint, step integer) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (amount + step / 2) / step * step;

-- A room's prices night by night, and the least stay asked of who arrives on the first. NULL where a night has no price.
CREATE FUNCTION app.nightly_prices(room_type uuid, check_in date, check_out date, OUT prices integer[], OUT min_stay integer)
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    day integer := app.day_number(check_in);
    last_day CONSTANT integer := app.day_number(check_out) - 1;
    part integer[];
    stays smallint[];
BEGIN
    WHILE day <= last_day LOOP
        SELECT b.price[day % 28 + 1:least(42, day % 28 + 1 + last_day - day)], b.min_stay INTO part, stays
        FROM search_blocks b WHERE b.room_type_id = room_type AND b.block = day / 28;
        IF NOT FOUND OR 0 = ANY (part) THEN
            prices := NULL;
            RETURN;
        END IF;
        IF prices IS NULL THEN
            min_stay := coalesce(stays[day % 28 + 1], 1);
        END IF;
        prices := prices || part;
        day := day + cardinality(part);
    END LOOP;
END
$$;

-- Tell the blocks that these nights became full, or free again.
CREATE FUNCTION app.mark_nights(room_type uuid, nights date[], is_free boolean) RETURNS void
    LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE search_blocks b SET free = CASE WHEN is_free THEN b.free | m.mask ELSE b.free & ~m.mask END
    FROM (
        SELECT p.block, bit_or(1::bigint << c.place) AS mask
        FROM unnest(nights) AS n(night)
        CROSS JOIN LATERAL (VALUES
            (app.day_number(n.night) / 28, app.day_number(n.night) % 28),
            (app.day_number(n.night) / 28 - 1, app.day_number(n.night) % 28 + 28)
        ) AS c(block, place)
        JOIN search_blocks p ON p.room_type_id = room_type AND p.block = c.block
        WHERE c.place < 42 AND p.price[c.place + 1] > 0
        GROUP BY p.block
    ) AS m
    WHERE b.room_type_id = room_type AND b.block = m.block
$$;

-- Whether each of these nights has that many rooms left. Certain only while the room type is locked.
CREATE FUNCTION app.has_rooms(room_type uuid, usual integer, wanted integer, nights date[]) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM unnest(nights) AS w(night)
    LEFT JOIN room_nights n ON n.room_type_id = room_type AND n.night = w.night
    WHERE coalesce(n.allotment - n.booked, usual) < wanted;
    RETURN NOT FOUND;
END
$$;

-- Take rooms on these nights, which have them. The room type is locked.
CREATE FUNCTION app.take_nights(room_type uuid, usual integer, wanted integer, nights date[]) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    full_nights date[];
BEGIN
    WITH taken AS (
        INSERT INTO room_nights AS n (room_type_id, night, allotment, booked)
        SELECT room_type, w.night, usual, wanted FROM unnest(nights) AS w(night)
        ON CONFLICT (room_type_id, night) DO UPDATE SET booked = n.booked + excluded.booked
        RETURNING n.night, n.booked = n.allotment AS is_full
    )
    SELECT array_agg(t.night) INTO full_nights FROM taken t WHERE t.is_full;
    IF full_nights IS NOT NULL THEN
        PERFORM app.mark_nights(room_type, full_nights, false);
    END IF;
END
$$;

-- Give rooms back on these nights. The room type is locked.
CREATE FUNCTION app.give_nights(room_type uuid, given integer, nights date[]) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    open_nights date[];
BEGIN
    WITH back AS (
        UPDATE room_nights n SET booked = n.booked - given
        WHERE n.room_type_id = room_type AND n.night = ANY (nights)
        RETURNING n.night, n.booked + given = n.allotment AS was_full
    )
    SELECT array_agg(b.night) INTO open_nights FROM back b WHERE b.was_full;
    IF open_nights IS NOT NULL THEN
        PERFORM app.mark_nights(room_type, open_nights, true);
    END IF;
END
$$;

CREATE FUNCTION app.nights_of(check_in date, check_out date) RETURNS date[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
    nights date[] := '{}';
BEGIN
    FOR n IN 0..check_out - check_in - 1 LOOP
        nights := nights || (check_in + n);
    END LOOP;
    RETURN nights;
END
$$;

-- The hold ends without a booking. The room type is locked.
CREATE FUNCTION app.end_hold(held bookings) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE bookings SET status = 'expired', updated_at = clock_timestamp() WHERE id = held.id;
    UPDATE trips SET booking_status = 'searching', updated_at = clock_timestamp() WHERE id = held.trip_id;
    PERFORM app.give_nights(held.room_type_id, held.rooms, app.nights_of(held.check_in, held.check_out));
END
$$;

-- Let go of a locked room type's holds whose time is over; how many they were.
CREATE FUNCTION app.release_expired(room_type uuid, moment timestamptz) RETURNS integer
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    held bookings;
    released integer := 0;
BEGIN
    FOR held IN
        SELECT b.* FROM bookings b WHERE b.room_type_id = room_type AND b.status = 'held' AND b.expires_at <= moment ORDER BY b.id
    LOOP
        PERFORM app.end_hold(held);
        released := released + 1;
    END LOOP;
    RETURN released;
END
$$;

-- The turn's own booking, its room type locked before it. Somebody else's is an error: flows read before they act.
CREATE FUNCTION app.own_booking(booking uuid) RETURNS bookings LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    found_one bookings;
BEGIN
    SELECT b.* INTO found_one FROM bookings b WHERE b.id = booking AND b.user_id = app.user_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'booking % is not of this turn', booking USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM room_types t WHERE t.id = found_one.room_type_id FOR NO KEY UPDATE;
    SELECT b.* INTO STRICT found_one FROM bookings b WHERE b.id = booking FOR NO KEY UPDATE;
    RETURN found_one;
END
$$;

-- What a stay costs and on which terms, with what a booking keeps of its hotel; no row for an unknown room type.
--   nightly, price, fees, penalty  NULL where a night has no price or the room is not listed
--   looks_full                     a night was full when this was read
--   agrees                         `free_until` is the hotel's deadline: it was converted from the hotel's clock by who asks
--                                  (one time zone database for the whole program), and may be off by a day at most
-- One query, in SQL and without settings of its own, so that it becomes part of the caller's plan.
CREATE FUNCTION app.quote(room_type uuid, check_in date, check_out date, rooms integer, free_until timestamptz)
    RETURNS TABLE (
        nightly integer[], min_stay integer, price bigint, fees bigint, penalty bigint, looks_full boolean, agrees boolean,
        capacity smallint, max_adults smallint, hotel_id uuid, identifier text, name_ar text, city bigint, city_ar text,
        timezone text, currency char(3), demo boolean
    )
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT CASE WHEN s.least > 0 THEN p.nightly END, coalesce(b.min_stay[d.place], 1),
               CASE WHEN s.least > 0 THEN app.payable(rooms * s.price, r.payable_step) END,
               CASE WHEN s.least > 0 THEN app.payable(rooms * h.local_fee_minor * d.nights, r.payable_step) END,
               CASE WHEN s.least > 0 THEN app.payable(
                   rooms * CASE h.penalty WHEN 'full' THEN s.price ELSE p.nightly[1] END, r.payable_step) END,
               b.free & d.mask <> d.mask,
               coalesce(d.deadline - free_until BETWEEN interval '-1 day' AND interval '1 day',
                        num_nulls(d.deadline, free_until) = 2),
               t.capacity, t.max_adults, h.id, h.identifier, h.name_ar, h.city, h.city_ar, h.timezone, h.currency, h.demo
        FROM public.room_types t
        JOIN public.hotels h ON h.id = t.hotel_id
        JOIN public.exchange_rates r ON r.currency = h.currency
        CROSS JOIN LATERAL (
            SELECT app.day_number(check_in) / 28 AS block, app.day_number(check_in) % 28 + 1 AS place, -- of the first night
                   check_out - check_in AS nights,
                   ((1::bigint << least(42 - app.day_number(check_in) % 28, check_out - check_in)) - 1)
                   << app.day_number(check_in) % 28 AS mask,
                   (check_in - h.free_days + h.free_until_time) AT TIME ZONE h.timezone AS deadline
        ) AS d
        LEFT JOIN public.search_blocks b ON b.room_type_id = t.id AND b.block = d.block
        CROSS JOIN LATERAL (
            SELECT CASE WHEN NOT (t.listed AND h.listed) THEN NULL
                        WHEN d.place + d.nights <= 43 THEN b.price[d.place:d.place + d.nights - 1]
                        ELSE (app.nightly_prices(t.id, check_in, check_out)).prices END AS nightly
            OFFSET 0
        ) AS p
        CROSS JOIN LATERAL (SELECT sum(n)::bigint AS price, min(n) AS least FROM unnest(p.nightly) AS n) AS s
        WHERE t.id = room_type;
    END;

-- ------------------------------------------------------------------------------------------------ doors of a turn

-- Keep rooms for 15 minutes. The answer's `outcome`:
--   held           with booking_id, trip_id, reference, expires_at, price_minor, currency; `again` when this key held before
--   price_changed  with price_minor and currency; nothing is held
--   min_stay       with min_stay, in nights; nothing is held
--   sold_out       a night has no room, no price, or the room is no longer listed
--   expired        this key was used by a hold that is over
-- Few queries, each asking for all that is known by then, under plans that are made once: planning for the values at hand
-- finds nothing better and takes longer than the rest.
CREATE FUNCTION app.hold(
    key text, room_type uuid, rooms integer, check_in date, check_out date, adults integer, children integer,
    child_ages smallint[], guest_name text, guest_phone text, requests text, quoted_minor bigint, free_until timestamptz, starts_at timestamptz,
    moment timestamptz
) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    person CONSTANT uuid := app.user_id();
    terms record;
    usual integer;
    found_now record;
    answer jsonb;
BEGIN
    -- Before the lock: the price, which the traveler has agreed to anyway, and the answer to whoever comes too late. What is
    -- full and has no hold that is over was sold out at this moment; the crowd behind the last room need not queue for it.
    SELECT q.* INTO terms FROM app.quote(hold.room_type, hold.check_in, hold.check_out, hold.rooms, hold.free_until) AS q;
    IF person IS NULL THEN
        RAISE EXCEPTION 'a hold belongs to a turn' USING ERRCODE = 'insufficient_privilege';
    ELSIF terms.capacity IS NULL OR check_out <= check_in OR rooms < 1 OR adults < rooms OR adults > rooms * terms.max_adults
          OR adults + children > rooms * terms.capacity OR NOT terms.agrees THEN
        RAISE EXCEPTION 'this party, stay or deadline (%) does not fit room type %', free_until, hold.room_type
            USING ERRCODE = 'check_violation';
    ELSIF terms.looks_full THEN
        IF NOT EXISTS (SELECT FROM bookings b
                       WHERE b.room_type_id = hold.room_type AND b.status = 'held' AND b.expires_at <= moment)
           AND NOT EXISTS (SELECT FROM bookings b WHERE b.idempotency_key = key) THEN
            RETURN jsonb_build_object('outcome', 'sold_out');
        END IF;
    END IF;

    SELECT t.allotment INTO usual FROM room_types t WHERE t.id = hold.room_type FOR NO KEY UPDATE;
    LOOP
        SELECT (SELECT b.id FROM bookings b WHERE b.idempotency_key = key AND b.user_id = person) AS booking,
               EXISTS (SELECT FROM bookings b
                       WHERE b.room_type_id = hold.room_type AND b.status = 'held' AND b.expires_at <= moment) AS overdue,
               count(*) = hold.check_out - hold.check_in AS touched,
               least(min(n.allotment - n.booked), CASE WHEN count(*) < hold.check_out - hold.check_in THEN usual END) AS rooms_left
        INTO found_now
        FROM room_nights n WHERE n.room_type_id = hold.room_type AND n.night >= hold.check_in AND n.night < hold.check_out;
        EXIT WHEN NOT found_now.overdue;
        PERFORM app.release_expired(hold.room_type, moment);
    END LOOP;

    IF found_now.booking IS NOT NULL THEN
        RETURN (
            SELECT jsonb_build_object(
                'outcome', CASE WHEN b.status IN ('held', 'confirmed') THEN 'held' ELSE 'expired' END, 'again', true,
                'booking_id', b.id, 'trip_id', t.id, 'reference', t.reference, 'expires_at', b.expires_at,
                'price_minor', b.price_minor, 'currency', b.currency)
            FROM bookings b JOIN trips t ON t.id = b.trip_id WHERE b.id = found_now.booking);
    ELSIF terms.nightly IS NULL THEN
        RETURN jsonb_build_object('outcome', 'sold_out');
    ELSIF terms.min_stay > check_out - check_in THEN
        RETURN jsonb_build_object('outcome', 'min_stay', 'min_stay', terms.min_stay);
    ELSIF found_now.rooms_left < rooms THEN
        RETURN jsonb_build_object('outcome', 'sold_out');
    ELSIF terms.price <> quoted_minor THEN
        RETURN jsonb_build_object('outcome', 'price_changed', 'price_minor', terms.price, 'currency', terms.currency);
    END IF;

    IF found_now.touched AND found_now.rooms_left > rooms THEN -- nothing for the blocks to know
        UPDATE room_nights n SET booked = n.booked + hold.rooms
        WHERE n.room_type_id = hold.room_type AND n.night >= hold.check_in AND n.night < hold.check_out;
    ELSE
        PERFORM app.take_nights(hold.room_type, usual, rooms, app.nights_of(check_in, check_out));
    END IF;
    WITH trip AS (
        INSERT INTO trips (user_id, reference, destination, city, check_in_date, check_out_date, travelers_count, hotel_identifier,
                           hotel_name, price_per_night, total_price, currency, booking_status)
        VALUES (person, 'RH-' || app.random_code(8), terms.city_ar, terms.city, hold.check_in, hold.check_out,
                hold.adults + hold.children, terms.identifier, terms.name_ar,
                greatest(1, terms.price / (hold.check_out - hold.check_in)), terms.price, terms.currency, 'pending')
        RETURNING id, trips.reference
    )
    INSERT INTO bookings AS b
        (trip_id, user_id, hotel_id, room_type_id, idempotency_key, rooms, check_in, check_out, adults, children, child_ages,
         guest_name, guest_phone, requests, nightly, price_minor, local_fees_minor, currency, timezone, starts_at, free_until,
         penalty_minor, expires_at, demo)
    SELECT trip.id, person, terms.hotel_id, hold.room_type, key, hold.rooms, hold.check_in, hold.check_out, hold.adults,
           hold.children, hold.child_ages, hold.guest_name, hold.guest_phone, hold.requests, terms.nightly, terms.price, terms.fees,
           terms.currency, terms.timezone, hold.starts_at, hold.free_until, terms.penalty, moment + interval '15 minutes', terms.demo
    FROM trip
    RETURNING jsonb_build_object(
        'outcome', 'held', 'again', false, 'booking_id', b.id, 'trip_id', b.trip_id,
        'reference', (SELECT trip.reference FROM trip), 'expires_at', b.expires_at, 'price_minor', b.price_minor, 'currency', b.currency)
    INTO STRICT answer;
    RETURN answer;
END
$$;

-- The hold becomes a booking, with what is due for it. `outcome`: confirmed (also when it was already), expired, not_active.
CREATE FUNCTION app.confirm_booking(booking uuid, provider text, moment timestamptz) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours bookings := app.own_booking(booking);
BEGIN
    IF ours.status = 'held' THEN
        IF ours.expires_at <= moment THEN
            PERFORM app.end_hold(ours);
            RETURN jsonb_build_object('outcome', 'expired');
        END IF;
        UPDATE bookings SET status = 'confirmed', confirmed_at = moment, updated_at = clock_timestamp(),
            confirmation_number = app.random_code(4) || '-' || app.random_code(4)
        WHERE id = ours.id RETURNING * INTO ours;
        UPDATE trips SET booking_status = 'confirmed', payment_method = provider, updated_at = clock_timestamp()
        WHERE id = ours.trip_id;
        INSERT INTO payments (booking_id, user_id, provider, status, amount_minor, currency, idempotency_key)
        VALUES (ours.id, ours.user_id, provider, 'due', ours.price_minor, ours.currency, ours.idempotency_key || ':' || provider);
    END IF;
    RETURN CASE ours.status
        WHEN 'confirmed' THEN
            jsonb_build_object('outcome', 'confirmed', 'confirmation_number', ours.confirmation_number)
        WHEN 'expired' THEN jsonb_build_object('outcome', 'expired')
        ELSE jsonb_build_object('outcome', 'not_active') END;
END
$$;

-- Give a hold back before its time. True when it was one.
CREATE FUNCTION app.release_hold(booking uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours bookings := app.own_booking(booking);
BEGIN
    IF ours.status <> 'held' THEN
        RETURN false;
    END IF;
    PERFORM app.end_hold(ours);
    RETURN true;
END
$$;

-- Cancel by the terms that were agreed. `outcome`: cancelled, already (both with fee_minor, refund_minor and currency),
-- too_late (the stay has begun), not_active.
CREATE FUNCTION app.cancel_booking(booking uuid, moment timestamptz) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours bookings := app.own_booking(booking);
    outcome text := 'already';
    fee bigint;
    paid bigint;
BEGIN
    IF ours.status = 'confirmed' THEN
        IF moment >= ours.starts_at THEN
            RETURN jsonb_build_object('outcome', 'too_late');
        END IF;
        fee := CASE WHEN moment <= ours.free_until THEN 0 ELSE ours.penalty_minor END;
        UPDATE bookings SET status = 'cancelled', cancelled_at = moment, cancellation_fee_minor = fee,
            updated_at = clock_timestamp()
        WHERE id = ours.id RETURNING * INTO ours;
        UPDATE trips SET booking_status = 'cancelled', updated_at = clock_timestamp() WHERE id = ours.trip_id;
        UPDATE payments p SET status = CASE WHEN fee = 0 THEN 'void' ELSE p.status END, amount_minor = fee,
            updated_at = clock_timestamp()
        WHERE p.booking_id = ours.id AND p.status = 'due';
        PERFORM app.give_nights(ours.room_type_id, ours.rooms, app.nights_of(ours.check_in, ours.check_out));
        outcome := 'cancelled';
    ELSIF ours.status <> 'cancelled' THEN
        RETURN jsonb_build_object('outcome', 'not_active');
    END IF;
    SELECT coalesce(sum(p.amount_minor), 0) INTO paid FROM payments p WHERE p.booking_id = ours.id AND p.status = 'paid';
    RETURN jsonb_build_object(
        'outcome', outcome, 'fee_minor', ours.cancellation_fee_minor, 'currency', ours.currency,
        'refund_minor', greatest(0, paid - ours.cancellation_fee_minor));
END
$$;

-- What a confirmed booking of this turn would cost on other dates, its own rooms counted as free. NULL: not to be had.
CREATE FUNCTION app.quote_move(booking uuid, check_in date, check_out date) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours bookings;
    found_price bigint;
BEGIN
    SELECT b.* INTO ours FROM bookings b WHERE b.id = booking AND b.user_id = app.user_id() AND b.status = 'confirmed';
    SELECT app.payable(ours.rooms * (SELECT sum(n) FROM unnest(p.prices) AS n)::bigint, r.payable_step) INTO found_price
    FROM room_types t
    JOIN hotels h ON h.id = t.hotel_id
    JOIN exchange_rates r ON r.currency = h.currency
    CROSS JOIN LATERAL app.nightly_prices(t.id, quote_move.check_in, quote_move.check_out) AS p
    WHERE t.id = ours.room_type_id AND t.listed AND h.listed AND p.min_stay <= quote_move.check_out - quote_move.check_in
      AND app.has_rooms(t.id, t.allotment, ours.rooms, ARRAY(
          SELECT n FROM unnest(app.nights_of(quote_move.check_in, quote_move.check_out)) AS n
          WHERE n < ours.check_in OR n >= ours.check_out));
    RETURN found_price;
END
$$;

-- Other dates for a booking, at today's prices; nothing changes unless `outcome` is moved (with price_minor and currency).
-- The others are those of a hold, and too_late: free cancellation is over, so the hotel must be asked.
CREATE FUNCTION app.move_booking(
    booking uuid, check_in date, check_out date, quoted_minor bigint, free_until timestamptz, starts_at timestamptz,
    moment timestamptz
) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours bookings := app.own_booking(booking);
    terms record;
    before CONSTANT date[] := app.nights_of(ours.check_in, ours.check_out);
    after CONSTANT date[] := app.nights_of(move_booking.check_in, move_booking.check_out);
    added CONSTANT date[] := ARRAY(SELECT n FROM unnest(after) AS n WHERE n <> ALL (before));
    dropped CONSTANT date[] := ARRAY(SELECT n FROM unnest(before) AS n WHERE n <> ALL (after));
    usual integer;
BEGIN
    IF check_out <= check_in THEN
        RAISE EXCEPTION 'a stay has at least one night' USING ERRCODE = 'check_violation';
    ELSIF ours.status <> 'confirmed' THEN
        RETURN jsonb_build_object('outcome', 'not_active');
    ELSIF moment > ours.free_until IS NOT FALSE THEN
        RETURN jsonb_build_object('outcome', 'too_late');
    END IF;
    PERFORM app.release_expired(ours.room_type_id, moment);
    SELECT q.* INTO terms
    FROM app.quote(ours.room_type_id, move_booking.check_in, move_booking.check_out, ours.rooms, move_booking.free_until) AS q;
    IF NOT terms.agrees THEN
        RAISE EXCEPTION 'free until % is not the deadline of this hotel', free_until USING ERRCODE = 'check_violation';
    ELSIF terms.nightly IS NULL THEN
        RETURN jsonb_build_object('outcome', 'sold_out');
    ELSIF terms.min_stay > check_out - check_in THEN
        RETURN jsonb_build_object('outcome', 'min_stay', 'min_stay', terms.min_stay);
    END IF;

    SELECT t.allotment INTO usual FROM room_types t WHERE t.id = ours.room_type_id;
    IF NOT app.has_rooms(ours.room_type_id, usual, ours.rooms, added) THEN
        RETURN jsonb_build_object('outcome', 'sold_out');
    ELSIF terms.price <> quoted_minor THEN
        RETURN jsonb_build_object(
            'outcome', 'price_changed', 'price_minor', terms.price, 'currency', terms.currency);
    END IF;
    PERFORM app.take_nights(ours.room_type_id, usual, ours.rooms, added);
    PERFORM app.give_nights(ours.room_type_id, ours.rooms, dropped);

    UPDATE bookings b SET
        check_in = move_booking.check_in, check_out = move_booking.check_out, nightly = terms.nightly,
        price_minor = terms.price, local_fees_minor = terms.fees, free_until = move_booking.free_until,
        starts_at = move_booking.starts_at, penalty_minor = terms.penalty, updated_at = clock_timestamp()
    WHERE b.id = ours.id;
    UPDATE trips t SET
        check_in_date = move_booking.check_in, check_out_date = move_booking.check_out, total_price = terms.price,
        price_per_night = greatest(1, terms.price / (move_booking.check_out - move_booking.check_in)),
        updated_at = clock_timestamp()
    WHERE t.id = ours.trip_id;
    UPDATE payments p SET amount_minor = terms.price, updated_at = clock_timestamp()
    WHERE p.booking_id = ours.id AND p.status = 'due';
    RETURN jsonb_build_object('outcome', 'moved', 'price_minor', terms.price, 'currency', ours.currency);
END
$$;

-- ------------------------------------------------------------------------------------------------ doors of the house

-- So many rooms on the nights [from_night, to_night]: never below what is sold. Returns the nights where the wish was cut
-- and the stays on them: {clamped: [night], stays: [{reference, booking_id, status, check_in, check_out, rooms}]}.
CREATE FUNCTION app.edit_allotment(room_type uuid, from_night date, to_night date, wanted integer, moment timestamptz)
    RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    open_nights date[];
    full_nights date[];
    clamped date[];
BEGIN
    PERFORM FROM room_types t WHERE t.id = edit_allotment.room_type FOR NO KEY UPDATE;
    IF NOT FOUND OR to_night < from_night OR to_night - from_night > 3660 THEN
        RAISE EXCEPTION 'no such room type or nights' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM app.release_expired(edit_allotment.room_type, moment);
    WITH edited AS (
        INSERT INTO room_nights AS n (room_type_id, night, allotment, edited)
        SELECT edit_allotment.room_type, w.night, wanted, true FROM unnest(app.nights_of(from_night, to_night + 1)) AS w(night)
        ON CONFLICT (room_type_id, night) DO UPDATE SET allotment = greatest(excluded.allotment, n.booked), edited = true
        RETURNING n.night, n.allotment, n.booked
    )
    SELECT array_agg(e.night) FILTER (WHERE e.booked < e.allotment), array_agg(e.night) FILTER (WHERE e.booked = e.allotment),
           array_agg(e.night ORDER BY e.night) FILTER (WHERE e.allotment > wanted)
    INTO open_nights, full_nights, clamped FROM edited e;
    PERFORM app.mark_nights(edit_allotment.room_type, open_nights, true);
    PERFORM app.mark_nights(edit_allotment.room_type, full_nights, false);
    RETURN jsonb_build_object(
        'clamped', coalesce(to_jsonb(clamped), '[]'),
        'stays', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                       'reference', t.reference, 'booking_id', b.id, 'status', b.status, 'check_in', b.check_in,
                       'check_out', b.check_out, 'rooms', b.rooms) ORDER BY b.check_in, b.id), '[]')
            FROM bookings b JOIN trips t ON t.id = b.trip_id
            WHERE b.room_type_id = edit_allotment.room_type AND b.status IN ('held', 'confirmed')
              AND EXISTS (SELECT FROM unnest(clamped) AS c WHERE c >= b.check_in AND c < b.check_out)));
END
$$;

-- Let go of holds whose time is over, of the room types where up to `most` of them wait. A room type somebody is booking
-- right now is skipped: that door lets go of them itself. Returns how many were released.
CREATE FUNCTION app.expire_holds(moment timestamptz, most integer DEFAULT 200) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kind record;
    released integer := 0;
BEGIN
    FOR kind IN
        SELECT t.id FROM room_types t
        WHERE t.id IN (SELECT b.room_type_id FROM bookings b WHERE b.status = 'held' AND b.expires_at <= moment
                       ORDER BY b.expires_at LIMIT most)
        ORDER BY t.id
        FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        released := released + app.release_expired(kind.id, moment);
    END LOOP;
    RETURN released;
END
$$;

GRANT EXECUTE ON FUNCTION
    app.hold(text, uuid, integer, date, date, integer, integer, smallint[], text, text, text, bigint, timestamptz,
             timestamptz, timestamptz),
    app.confirm_booking(uuid, text, timestamptz), app.release_hold(uuid), app.cancel_booking(uuid, timestamptz),
    app.quote_move(uuid, date, date), app.move_booking(uuid, date, date, bigint, timestamptz, timestamptz, timestamptz)
TO rahhal_app;
GRANT EXECUTE ON FUNCTION
    app.payable(bigint, integer), app.nightly_prices(uuid, date, date), app.nights_of(date, date)
TO rahhal_app, rahhal_owner;
GRANT EXECUTE ON FUNCTION app.edit_allotment(uuid, date, date, integer, timestamptz) TO rahhal_owner;
GRANT EXECUTE ON FUNCTION app.expire_holds(timestamptz, integer) TO rahhal_worker;
