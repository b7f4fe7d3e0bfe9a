-- role: rahhal_owner
-- What can be booked: hotels, their room types, rates, the nights that were touched, and the blocks that searches read.
-- The catalogue is public, so there is no isolation here; a turn only reads. Nights and blocks change through the
-- functions of schema app, each of which locks the room type first: they are the one door to the inventory.

-- ------------------------------------------------------------------------------------------------ money

-- What one US dollar was worth, with its date and source. Converted amounts help to compare; they are never charged.
-- `minor_units` is the exponent of the currency (CLDR), `payable_step` what payable totals are rounded to, in minor units.
CREATE TABLE exchange_rates (
    currency      char(3) PRIMARY KEY CHECK (currency ~ '^[A-Z]{3}$'),
    per_usd       numeric NOT NULL CHECK (per_usd > 0 AND per_usd < 1e9),
    minor_units   smallint NOT NULL CHECK (minor_units BETWEEN 0 AND 3),
    payable_step  smallint NOT NULL DEFAULT 1 CHECK (payable_step IN (1, 10)),
    as_of         date NOT NULL,
    source        text NOT NULL CHECK (length(source) BETWEEN 1 AND 200)
);

-- Approximate levels to start with; an operator's own table replaces them.
INSERT INTO exchange_rates (currency, per_usd, minor_units, payable_step, as_of, source)
SELECT currency, per_usd, minor_units, payable_step, DATE '2025-11-01', 'shipped default'
FROM (VALUES
    ('USD', 1, 2, 1), ('EUR', 0.866, 2, 1), ('GBP', 0.76, 2, 1), ('CHF', 0.804, 2, 1), ('EGP', 47.2, 2, 1),
    ('SAR', 3.75, 2, 1), ('AED', 3.6725, 2, 1), ('QAR', 3.64, 2, 1), ('KWD', 0.307, 3, 10), ('BHD', 0.376, 3, 10),
    ('OMR', 0.3845, 3, 10), ('JOD', 0.709, 3, 10), ('TND', 2.95, 3, 10), ('LBP', 89500, 0, 1), ('SYP', 11000, 0, 1),
    ('IQD', 1310, 0, 1), ('YER', 238, 0, 1), ('IRR', 42000, 0, 1), ('MAD', 9.28, 2, 1), ('DZD', 130.3, 2, 1),
    ('LYD', 5.45, 3, 1), ('SDG', 600, 2, 1), ('MRU', 39.8, 2, 1), ('ILS', 3.25, 2, 1), ('TRY', 42.0, 2, 1),
    ('GEL', 2.71, 2, 1), ('AZN', 1.70, 2, 1), ('AMD', 383, 2, 1), ('BAM', 1.694, 2, 1), ('MYR', 4.19, 2, 1),
    ('IDR', 16650, 2, 1), ('MVR', 15.4, 2, 1), ('THB', 32.4, 2, 1), ('SGD', 1.30, 2, 1), ('INR', 88.7, 2, 1),
    ('PKR', 281, 2, 1), ('LKR', 304, 2, 1), ('CNY', 7.12, 2, 1), ('JPY', 154, 0, 1), ('KRW', 1430, 0, 1),
    ('RUB', 80.8, 2, 1), ('KES', 129.2, 2, 1), ('TZS', 2460, 2, 1), ('ZAR', 17.3, 2, 1), ('CAD', 1.40, 2, 1),
    ('AUD', 1.53, 2, 1), ('SEK', 9.47, 2, 1), ('NOK', 10.1, 2, 1), ('DKK', 6.47, 2, 1), ('PLN', 3.69, 2, 1),
    ('CZK', 21.1, 2, 1), ('HUF', 336, 2, 1)
) AS known(currency, per_usd, minor_units, payable_step);

-- ------------------------------------------------------------------------------------------------ catalogue

CREATE TABLE hotels (
    id              uuid PRIMARY KEY DEFAULT app.uuidv7(),
    identifier      text NOT NULL UNIQUE CHECK (identifier ~ '^[a-z0-9][a-z0-9-]{1,63}$'), -- public: in links and pictures
    supplier        text NOT NULL DEFAULT 'inventory' CHECK (length(supplier) BETWEEN 2 AND 32),
    name_ar         text NOT NULL CHECK (length(name_ar) BETWEEN 2 AND 120),
    name_en         text NOT NULL CHECK (length(name_en) BETWEEN 2 AND 120),
    city            bigint NOT NULL CHECK (city > 0),                                       -- GeoNames
    city_ar         text NOT NULL CHECK (length(city_ar) BETWEEN 1 AND 80),
    city_en         text NOT NULL CHECK (length(city_en) BETWEEN 1 AND 80),
    country         char(2) NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    area_ar         text NOT NULL DEFAULT '' CHECK (length(area_ar) <= 80),
    area_en         text NOT NULL DEFAULT '' CHECK (length(area_en) <= 80),
    address_ar      text NOT NULL DEFAULT '' CHECK (length(address_ar) <= 200),
    address_en      text NOT NULL DEFAULT '' CHECK (length(address_en) <= 200),
    stars           smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    latitude        double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude       double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    setting         text NOT NULL CHECK (setting IN ('beach', 'city', 'desert', 'mountain', 'holy')),
    amenities       text[] NOT NULL DEFAULT '{}',
    check_in_from   time NOT NULL DEFAULT '14:00',
    check_out_until time NOT NULL DEFAULT '12:00',
    timezone        text NOT NULL CHECK (length(timezone) BETWEEN 3 AND 64),
    currency        char(3) NOT NULL REFERENCES exchange_rates,
    free_days       smallint CHECK (free_days BETWEEN 0 AND 90),  -- NULL: non-refundable
    free_until_time time NOT NULL DEFAULT '18:00',                -- at the hotel, free_days before the arrival
    penalty         text NOT NULL DEFAULT 'first_night' CHECK (penalty IN ('first_night', 'full')),
    tax_percent     numeric(5, 2) NOT NULL DEFAULT 0 CHECK (tax_percent BETWEEN 0 AND 50), -- already in the prices
    local_fee_minor bigint NOT NULL DEFAULT 0 CHECK (local_fee_minor BETWEEN 0 AND 1000000000), -- a room a night, paid there
    pictures        text[] NOT NULL DEFAULT '{}',
    phone           text NOT NULL DEFAULT '' CHECK (length(phone) <= 20),
    demo            boolean NOT NULL DEFAULT false,
    listed          boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (free_days IS NOT NULL OR penalty = 'full')
);
-- Everything a search filters by, so that a city of thousands of hotels is filtered without reading their rows.
CREATE INDEX hotels_city ON hotels (city, id) INCLUDE (stars, currency, free_days, amenities, latitude, longitude) WHERE listed;

CREATE TABLE room_types (
    id           uuid PRIMARY KEY DEFAULT app.uuidv7(),
    hotel_id     uuid NOT NULL REFERENCES hotels,
    code         text NOT NULL CHECK (code ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    name_ar      text NOT NULL CHECK (length(name_ar) BETWEEN 2 AND 120),
    name_en      text NOT NULL CHECK (length(name_en) BETWEEN 2 AND 120),
    kind         text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{1,31}$'),
    capacity     smallint NOT NULL CHECK (capacity BETWEEN 1 AND 20),
    max_adults   smallint NOT NULL CHECK (max_adults BETWEEN 1 AND 20),
    max_children smallint NOT NULL DEFAULT 0 CHECK (max_children BETWEEN 0 AND 19),
    beds         text NOT NULL DEFAULT '' CHECK (length(beds) <= 60),
    board        text NOT NULL DEFAULT 'RO' CHECK (board IN ('RO', 'BB', 'HB', 'FB', 'AI')),
    view         text NOT NULL DEFAULT '' CHECK (length(view) <= 32),
    allotment    integer NOT NULL CHECK (allotment BETWEEN 0 AND 10000),  -- of every night that says nothing else
    listed       boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (hotel_id, code),
    CHECK (max_adults <= capacity AND max_children < capacity AND capacity <= max_adults + max_children)
);

-- Prices as they were given: a room a night, in minor units of the hotel's currency. The most specific wins: the
-- shortest range, then the newest. `weekdays` is a mask of the night's weekday, bit 0 Monday to bit 6 Sunday.
CREATE TABLE room_rates (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_type_id uuid NOT NULL REFERENCES room_types,
    from_night   date NOT NULL CHECK (from_night >= DATE '2000-01-03'),
    to_night     date NOT NULL CHECK (to_night < DATE '2200-01-01'),      -- the last night, included
    weekdays     smallint NOT NULL DEFAULT 127 CHECK (weekdays BETWEEN 1 AND 127),
    price        bigint NOT NULL CHECK (price BETWEEN 1 AND 2000000000),
    min_stay     smallint NOT NULL DEFAULT 1 CHECK (min_stay BETWEEN 1 AND 90),
    created_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (to_night >= from_night AND to_night - from_night <= 3660)
);
CREATE INDEX room_rates_room_type ON room_rates (room_type_id, from_night);

-- ------------------------------------------------------------------------------------------------ inventory

-- The truth about rooms, sparse: only nights that were booked or edited have a row.
CREATE TABLE room_nights (
    room_type_id uuid NOT NULL REFERENCES room_types,
    night        date NOT NULL,
    allotment    integer NOT NULL CHECK (allotment BETWEEN 0 AND 10000),
    booked       integer NOT NULL DEFAULT 0,
    edited       boolean NOT NULL DEFAULT false,  -- by an operator: no longer follows the room type's allotment
    PRIMARY KEY (room_type_id, night),
    CHECK (booked BETWEEN 0 AND allotment)
) WITH (fillfactor = 85);

-- Its projection for searches. Block n begins on Monday 2000-01-03 plus 28 n days and holds 42 nights: its own 28 and the
-- next 14, so that every stay of up to 15 nights lies in the block of its first night. Longer ones go on in the following.
CREATE TABLE search_blocks (
    room_type_id uuid NOT NULL REFERENCES room_types,
    block        integer NOT NULL,
    hotel_id     uuid NOT NULL REFERENCES hotels,
    city         bigint NOT NULL,
    capacity     smallint NOT NULL,
    max_adults   smallint NOT NULL,
    free         bigint NOT NULL,       -- bit i: night i has a price and at least one room
    price        integer[] NOT NULL,    -- 42 prices of a room, 0 where there is none
    min_stay     smallint[],            -- 42, for who arrives that night; NULL: 1 everywhere
    PRIMARY KEY (room_type_id, block),
    CHECK (free >= 0 AND free < 1::bigint << 42),
    CHECK (array_length(price, 1) = 42 AND (min_stay IS NULL OR array_length(min_stay, 1) = 42))
) WITH (fillfactor = 85);
CREATE INDEX search_blocks_city ON search_blocks (city, block, capacity);

-- ------------------------------------------------------------------------------------------------ rights

GRANT SELECT ON exchange_rates, hotels, room_types, room_rates, room_nights, search_blocks TO rahhal_app, rahhal_service;
GRANT INSERT, UPDATE ON room_nights TO rahhal_service;
GRANT INSERT, UPDATE, DELETE ON search_blocks TO rahhal_service;
GRANT UPDATE (updated_at) ON room_types TO rahhal_service; -- the right to lock a row

-- ------------------------------------------------------------------------------------------------ projection

SET LOCAL ROLE rahhal_service;

CREATE FUNCTION app.day_number(day date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN day - DATE '2000-01-03';

-- The blocks of one room type, computed from its rates and nights. The rates are painted over one another, the most
-- specific last: a plain loop, because no plan of a join survives both three rates and three hundred.
CREATE FUNCTION app.blocks_of(room_type uuid, rooms integer, first_block integer, last_block integer)
    RETURNS TABLE (block integer, free bigint, price integer[], min_stay smallint[])
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    first_day CONSTANT integer := first_block * 28;
    days CONSTANT integer := (last_block - first_block) * 28 + 42;
    prices integer[] := array_fill(0, ARRAY[days]);
    stays smallint[] := array_fill(1::smallint, ARRAY[days]);
    open_rooms boolean[] := array_fill(rooms > 0, ARRAY[days]);
    rate record;
BEGIN
    FOR rate IN
        SELECT greatest(app.day_number(r.from_night) - first_day, 0) AS first,
               least(app.day_number(r.to_night) - first_day, days - 1) AS last,
               r.weekdays, r.price::integer AS price, r.min_stay
        FROM room_rates r
        WHERE r.room_type_id = room_type
          AND app.day_number(r.from_night) < first_day + days AND app.day_number(r.to_night) >= first_day
        ORDER BY r.to_night - r.from_night DESC, r.id
    LOOP
        FOR day IN rate.first..rate.last LOOP
            IF (rate.weekdays >> (day % 7)) & 1 = 1 THEN -- a block begins on a Monday
                prices[day + 1] := rate.price;
                stays[day + 1] := rate.min_stay;
            END IF;
        END LOOP;
    END LOOP;
    FOR rate IN
        SELECT app.day_number(n.night) - first_day AS day, n.allotment > n.booked AS open
        FROM room_nights n
        WHERE n.room_type_id = room_type
          AND n.night >= DATE '2000-01-03' + first_day AND n.night < DATE '2000-01-03' + first_day + days
    LOOP
        open_rooms[rate.day + 1] := rate.open;
    END LOOP;

    FOR number IN 0..last_block - first_block LOOP
        block := first_block + number;
        price := prices[number * 28 + 1:number * 28 + 42];
        IF price <> array_fill(0, ARRAY[42]) THEN
            min_stay := stays[number * 28 + 1:number * 28 + 42];
            IF min_stay = array_fill(1::smallint, ARRAY[42]) THEN
                min_stay := NULL;
            END IF;
            free := 0;
            FOR place IN 0..41 LOOP
                IF open_rooms[number * 28 + place + 1] AND prices[number * 28 + place + 1] > 0 THEN
                    free := free | (1::bigint << place);
                END IF;
            END LOOP;
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

-- Write anew the blocks that hold any night of [from_night, to_night]. Locks the room types; what is no longer listed loses
-- all its blocks. Filled block by block in the order of searches. Returns the number of blocks written.
CREATE FUNCTION app.rebuild_blocks(room_types uuid[], from_night date, to_night date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first_block CONSTANT integer := greatest(0, (app.day_number(from_night) - 14) / 28);
    last_block CONSTANT integer := app.day_number(to_night) / 28;
    written integer;
BEGIN
    PERFORM FROM room_types t WHERE t.id = ANY ($1) ORDER BY t.id FOR NO KEY UPDATE;

    DELETE FROM search_blocks b USING room_types t, hotels h
    WHERE b.room_type_id = ANY ($1) AND t.id = b.room_type_id AND h.id = t.hotel_id
      AND (b.block BETWEEN first_block AND last_block OR NOT (t.listed AND h.listed));

    INSERT INTO search_blocks
        (room_type_id, block, hotel_id, city, capacity, max_adults, free, price, min_stay)
    SELECT t.id, b.block, t.hotel_id, h.city, t.capacity, t.max_adults, b.free, b.price, b.min_stay
    FROM room_types t
    JOIN hotels h ON h.id = t.hotel_id
    CROSS JOIN LATERAL app.blocks_of(t.id, t.allotment, first_block, last_block) AS b
    WHERE t.id = ANY ($1) AND t.listed AND h.listed
    ORDER BY h.city, b.block, t.capacity, t.id;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END
$$;

GRANT EXECUTE ON FUNCTION app.day_number(date) TO rahhal_owner, rahhal_app;
GRANT EXECUTE ON FUNCTION app.rebuild_blocks(uuid[], date, date) TO rahhal_owner;

RESET ROLE;
