-- role: rahhal_owner
-- What became of stays: verified stays, personas, outcomes, and social proof.
--
-- A stay is verified when it is completed and either something was paid for it or the traveler told how it was. Verified
-- stays make personas; outcomes make social proof. Both aggregates change in the transaction of their cause, by triggers
-- of the service that add what is new and take away what was, so that they equal a full recomputation at any moment.

ALTER TABLE users ADD COLUMN demo boolean NOT NULL DEFAULT false; -- a synthetic traveler, left out of metrics

ALTER TABLE bookings
    ADD COLUMN verified_at timestamptz CHECK (verified_at IS NULL OR status = 'completed'),
    -- A room a night, in US cents, at the rate of the day it was verified: frozen, so that what was once added to a sum can
    -- be taken away again.
    ADD COLUMN usd_cents_per_night bigint CHECK (usd_cents_per_night BETWEEN 1 AND 1000000000000)
        CHECK (num_nulls(verified_at, usd_cents_per_night) IN (0, 2));

-- ------------------------------------------------------------------------------------------------ vocabularies

SET LOCAL ROLE rahhal_service;

CREATE FUNCTION app.personas() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['مسافر_اقتصادي', 'مسافر_متوسط', 'باحث_عن_فخامة'];

-- What travelers praise and what they miss: closed lists, because only what is counted can be shown as a count.
CREATE FUNCTION app.highlight_codes() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['location', 'breakfast', 'cleanliness', 'staff', 'quiet', 'comfortable_beds', 'view', 'pool', 'beach', 'food',
                 'spacious_rooms', 'family_friendly', 'fast_wifi', 'fast_check_in', 'parking', 'value'];

CREATE FUNCTION app.pain_point_codes() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['slow_lift', 'noise', 'slow_wifi', 'small_rooms', 'old_furniture', 'not_clean', 'poor_breakfast',
                 'slow_check_in', 'cold_water', 'weak_air_conditioning', 'hard_parking', 'far_from_center', 'unfriendly_staff',
                 'crowded_pool', 'uncomfortable_beds', 'expensive_extras'];

-- What is called for every row is PL/pgSQL: the plans of SQL functions that cannot be inlined are made anew at each call.

-- Some of the allowed words: at most 8, each once.
CREATE FUNCTION app.are_words(words text[], allowed text[]) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = '' AS $$
BEGIN
    IF words IS NULL OR cardinality(words) > 8 OR array_position(words, NULL) IS NOT NULL OR NOT words <@ allowed THEN
        RETURN false;
    END IF;
    FOR place IN 2..cardinality(words) LOOP
        IF words[place] = ANY (words[:place - 1]) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END
$$;

-- Marks from 1 to 10 for some of the aspects of a stay.
CREATE FUNCTION app.are_ratings(ratings jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = '' AS $$
BEGIN
    IF ratings IS NULL OR jsonb_typeof(ratings) <> 'object' THEN
        RETURN false;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM jsonb_each(ratings) AS r(aspect, mark)
        WHERE r.aspect <> ALL (ARRAY['cleanliness', 'comfort', 'location', 'staff', 'food', 'value'])
           OR r.mark::text !~ '^([1-9]|10)$');
END
$$;

-- Counts by name, {name: n}, added up; what comes to nothing disappears.
CREATE FUNCTION app.add_counts(counts jsonb, added jsonb, sign integer DEFAULT 1) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
    name text;
    n bigint;
BEGIN
    FOR name, n IN SELECT a.key, a.value::bigint FROM jsonb_each_text(added) AS a LOOP
        n := coalesce((counts ->> name)::bigint, 0) + sign * n;
        counts := CASE WHEN n = 0 THEN counts - name ELSE counts || jsonb_build_object(name, n) END;
    END LOOP;
    RETURN counts;
END
$$;

-- The names of {name: n}, the most frequent first; at most `most`, each said at least twice.
CREATE FUNCTION app.frequent(counts jsonb, most integer DEFAULT 3) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
BEGIN
    IF counts = '{}' THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT c.key FROM jsonb_each_text(counts) AS c WHERE c.value::bigint >= 2 ORDER BY c.value::bigint DESC, c.key LIMIT most);
END
$$;

-- An amount in US cents, at least one, by the dated table of rates. NULL for a currency it does not know.
CREATE FUNCTION app.usd_cents(amount_minor numeric, of_currency text) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT greatest(1, round(amount_minor / 10::numeric ^ r.minor_units / r.per_usd * 100))::bigint
    FROM exchange_rates r WHERE r.currency = of_currency
$$;

GRANT EXECUTE ON FUNCTION
    app.personas(), app.highlight_codes(), app.pain_point_codes(), app.are_words(text[], text[]), app.are_ratings(jsonb),
    app.add_counts(jsonb, jsonb, integer), app.frequent(jsonb, integer), app.usd_cents(numeric, text)
TO rahhal_owner;

RESET ROLE;
SET LOCAL ROLE rahhal_owner;

-- ------------------------------------------------------------------------------------------------ tables

-- What somebody's verified stays say of her. A row appears with the first; without one there is no persona, and the reason is
-- that there are no stays. To move somebody's stays to another person, change bookings.user_id: this follows by itself.
CREATE TABLE traveler_personas (
    user_id          uuid PRIMARY KEY REFERENCES users,
    n                integer NOT NULL CHECK (n >= 0),           -- verified stays
    nights           integer NOT NULL CHECK (nights >= n),
    usd_cents        bigint NOT NULL CHECK (usd_cents >= n),    -- sum over stays of the price of a room a night
    -- How often: {cities: {GeoNames id: n}, months: {1 to 12, of the arrival: n}, stays: {nights: n}, party: {people: n}}
    booking_patterns jsonb NOT NULL CHECK (jsonb_typeof(booking_patterns) = 'object'),
    -- The mean price a night of her stays: under 80 USD, under 150 USD, or more.
    persona          text GENERATED ALWAYS AS (
        CASE WHEN n = 0 THEN NULL
             WHEN usd_cents < 8000 * n::bigint THEN 'مسافر_اقتصادي'
             WHEN usd_cents < 15000 * n::bigint THEN 'مسافر_متوسط'
             ELSE 'باحث_عن_فخامة' END) STORED CHECK (persona = ANY (app.personas())),
    usd_cents_per_night bigint GENERATED ALWAYS AS (usd_cents / nullif(n, 0)) STORED,
    reason           text NOT NULL GENERATED ALWAYS AS (
        CASE n WHEN 0 THEN 'no_stays' WHEN 1 THEN 'one_stay' ELSE 'stays' END) STORED,
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How a verified stay was, told by who stayed. The persona she had then stays on it; answers may be corrected for a while.
-- What a new row leaves NULL of booking_id's own facts (who, where, price, persona, demo) is filled in from the booking.
CREATE TABLE booking_outcomes (
    id                    uuid PRIMARY KEY DEFAULT app.uuidv7(),
    booking_id            uuid NOT NULL UNIQUE REFERENCES bookings,
    user_id               uuid NOT NULL REFERENCES users,
    hotel_id              uuid NOT NULL REFERENCES hotels,
    user_persona          text CHECK (user_persona = ANY (app.personas())), -- NULL: none, or she has not consented to it
    satisfaction_score    smallint NOT NULL CHECK (satisfaction_score BETWEEN 1 AND 10),
    would_rebook          boolean,                              -- NULL: not answered
    exceeded_expectations boolean,
    highlights            text[] NOT NULL DEFAULT '{}' CHECK (app.are_words(highlights, app.highlight_codes())),
    pain_points           text[] NOT NULL DEFAULT '{}' CHECK (app.are_words(pain_points, app.pain_point_codes())),
    ratings               jsonb NOT NULL DEFAULT '{}' CHECK (app.are_ratings(ratings)),
    note                  text CHECK (length(note) BETWEEN 1 AND 1000), -- in her words
    note_shown            boolean NOT NULL DEFAULT false,       -- to others: only what somebody has read before
    nights_stayed         smallint NOT NULL CHECK (nights_stayed BETWEEN 1 AND 90),
    price_per_night       bigint NOT NULL CHECK (price_per_night BETWEEN 1 AND 100000000000000), -- a room
    currency              char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    usd_cents_per_night   bigint NOT NULL CHECK (usd_cents_per_night BETWEEN 1 AND 1000000000000),
    demo                  boolean NOT NULL,
    withdrawn_at          timestamptz,                          -- she was not there after all: it does not count
    created_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (note IS NOT NULL OR NOT note_shown)
);
CREATE INDEX booking_outcomes_hotel ON booking_outcomes (hotel_id, created_at);
CREATE INDEX booking_outcomes_user ON booking_outcomes (user_id);

-- The outcomes of a hotel added up, by persona and over all. Rates are of those who answered that question.
CREATE TABLE social_proof_cache (
    hotel_id           uuid NOT NULL REFERENCES hotels,
    persona            text NOT NULL CHECK (persona = 'all' OR persona = ANY (app.personas())),
    n                  integer NOT NULL CHECK (n >= 0),
    satisfaction_sum   bigint NOT NULL CHECK (satisfaction_sum BETWEEN n AND 10 * n::bigint),
    rebook_answers     integer NOT NULL CHECK (rebook_answers BETWEEN 0 AND n),
    rebook_yes         integer NOT NULL CHECK (rebook_yes BETWEEN 0 AND rebook_answers),
    exceeded_answers   integer NOT NULL CHECK (exceeded_answers BETWEEN 0 AND n),
    exceeded_yes       integer NOT NULL CHECK (exceeded_yes BETWEEN 0 AND exceeded_answers),
    usd_cents_sum      bigint NOT NULL CHECK (usd_cents_sum >= n),  -- prices of a room a night
    highlight_counts   jsonb NOT NULL DEFAULT '{}',
    pain_point_counts  jsonb NOT NULL DEFAULT '{}',
    highlights         text[] NOT NULL GENERATED ALWAYS AS (app.frequent(highlight_counts)) STORED,
    pain_points        text[] NOT NULL GENERATED ALWAYS AS (app.frequent(pain_point_counts)) STORED,
    avg_satisfaction   numeric GENERATED ALWAYS AS (satisfaction_sum::numeric / nullif(n, 0)) STORED
        CHECK (avg_satisfaction BETWEEN 0 AND 10),
    rebooking_rate     numeric GENERATED ALWAYS AS (rebook_yes::numeric / nullif(rebook_answers, 0)) STORED
        CHECK (rebooking_rate BETWEEN 0 AND 1),
    expectation_exceeded_rate numeric GENERATED ALWAYS AS (exceeded_yes::numeric / nullif(exceeded_answers, 0)) STORED
        CHECK (expectation_exceeded_rate BETWEEN 0 AND 1),
    -- points of satisfaction for each 100 USD a night
    value_score        numeric GENERATED ALWAYS AS (10000 * satisfaction_sum::numeric / nullif(usd_cents_sum, 0)) STORED
        CHECK (value_score >= 0),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (hotel_id, persona)
) WITH (fillfactor = 70);  -- its rows change in place

SELECT app.isolate('traveler_personas');
SELECT app.isolate('booking_outcomes');
SELECT app.isolate('social_proof_cache', NULL); -- few stays would tell whose they are: read through functions that count to five

GRANT SELECT ON traveler_personas, booking_outcomes TO rahhal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON traveler_personas, booking_outcomes, social_proof_cache TO rahhal_service;

-- ------------------------------------------------------------------------------------------------ verified stays

SET LOCAL ROLE rahhal_service;

-- Before a booking is written: whether it is a verified stay, and at which price.
CREATE FUNCTION app.keep_verification() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.status <> 'completed' THEN
        NEW.verified_at := NULL;
    ELSIF NEW.verified_at IS NULL AND (
        EXISTS (SELECT FROM payments p WHERE p.booking_id = NEW.id AND p.status = 'paid')
        OR EXISTS (SELECT FROM booking_outcomes o WHERE o.booking_id = NEW.id)
    ) THEN
        NEW.verified_at := clock_timestamp();
    END IF;
    IF NEW.verified_at IS NULL THEN
        NEW.usd_cents_per_night := NULL;
    ELSIF NEW.usd_cents_per_night IS NULL THEN
        NEW.usd_cents_per_night :=
            app.usd_cents(NEW.price_minor::numeric / (NEW.rooms * (NEW.check_out - NEW.check_in)), NEW.currency);
    END IF;
    RETURN NEW;
END
$$;

-- After something was paid: a completed stay is verified by it. One that is just being completed is waited for, as neither of the
-- two would see the other. (Whoever changes both takes the booking first.)
CREATE FUNCTION app.verify_paid_stay() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM bookings b WHERE b.id = NEW.booking_id FOR NO KEY UPDATE;
    UPDATE bookings SET verified_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE id = NEW.booking_id AND status = 'completed' AND verified_at IS NULL;
    RETURN NULL;
END
$$;

-- After a booking stopped or began to be a verified stay: what was told of it counts no longer, or counts again.
CREATE FUNCTION app.withdraw_outcome() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE booking_outcomes SET
        withdrawn_at = CASE WHEN NEW.verified_at IS NULL THEN clock_timestamp() END, updated_at = clock_timestamp()
    WHERE booking_id = NEW.id AND (withdrawn_at IS NULL) = (NEW.verified_at IS NULL);
    RETURN NULL;
END
$$;

-- ------------------------------------------------------------------------------------------------ personas

-- A verified stay counts (sign 1) for its traveler, or counts no longer (-1).
CREATE FUNCTION app.count_stay(stay bookings, sign integer) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    -- what one stay adds to the habits of its traveler
    pattern CONSTANT jsonb := jsonb_build_object(
        'cities', jsonb_build_object((SELECT h.city FROM hotels h WHERE h.id = stay.hotel_id), 1),
        'months', jsonb_build_object(extract(month FROM stay.check_in), 1),
        'stays', jsonb_build_object(stay.check_out - stay.check_in, 1),
        'party', jsonb_build_object(stay.adults + stay.children, 1));
BEGIN
    IF sign = 1 THEN
        INSERT INTO traveler_personas (user_id, n, nights, usd_cents, booking_patterns)
        VALUES (stay.user_id, 0, 0, 0, '{"cities": {}, "months": {}, "stays": {}, "party": {}}')
        ON CONFLICT (user_id) DO NOTHING;
    END IF;
    UPDATE traveler_personas p SET
        n = p.n + sign,
        nights = p.nights + sign * (stay.check_out - stay.check_in),
        usd_cents = p.usd_cents + sign * stay.usd_cents_per_night,
        booking_patterns = (
            SELECT jsonb_object_agg(k.key, app.add_counts(k.value, pattern -> k.key, sign))
            FROM jsonb_each(p.booking_patterns) AS k),
        updated_at = clock_timestamp()
    WHERE p.user_id = stay.user_id;
END
$$;

CREATE FUNCTION app.keep_persona() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bookings;
    come bookings;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.verified_at IS NOT NULL THEN
        gone := OLD;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.verified_at IS NOT NULL THEN
        come := NEW;
    END IF;
    -- Two people's rows are always taken in the order of their ids.
    IF come.id IS NOT NULL AND come.user_id < gone.user_id THEN
        PERFORM app.count_stay(come, 1);
        come := NULL;
    END IF;
    IF gone.id IS NOT NULL THEN
        PERFORM app.count_stay(gone, -1);
    END IF;
    IF come.id IS NOT NULL THEN
        PERFORM app.count_stay(come, 1);
    END IF;
    RETURN NULL;
END
$$;

-- ------------------------------------------------------------------------------------------------ outcomes

-- Before an outcome is written: of a completed stay only, and in the world of its hotel. Telling verifies the stay. What
-- an outcome was written for never changes; only whose it is may (one person found under two logins).
CREATE FUNCTION app.check_outcome() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stay bookings;
    hotel_demo boolean;
    person users;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.booking_id, OLD.hotel_id, OLD.user_persona, OLD.nights_stayed, OLD.price_per_night, OLD.currency,
            OLD.usd_cents_per_night, OLD.demo)
           IS DISTINCT FROM
           (NEW.booking_id, NEW.hotel_id, NEW.user_persona, NEW.nights_stayed, NEW.price_per_night, NEW.currency,
            NEW.usd_cents_per_night, NEW.demo) THEN
            RAISE EXCEPTION 'what an outcome was written for does not change' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;

    SELECT b.* INTO stay FROM bookings b WHERE b.id = NEW.booking_id AND b.status = 'completed' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an outcome tells of a completed stay' USING ERRCODE = 'check_violation';
    ELSIF stay.verified_at IS NULL THEN
        UPDATE bookings b SET verified_at = clock_timestamp(), updated_at = clock_timestamp() WHERE b.id = stay.id
        RETURNING b.* INTO stay;
    END IF;
    SELECT h.demo INTO STRICT hotel_demo FROM hotels h WHERE h.id = stay.hotel_id;
    SELECT u.* INTO STRICT person FROM users u WHERE u.id = stay.user_id;
    NEW.user_id := coalesce(NEW.user_id, stay.user_id);
    NEW.hotel_id := coalesce(NEW.hotel_id, stay.hotel_id);
    NEW.demo := coalesce(NEW.demo, hotel_demo);
    IF NEW.user_id <> stay.user_id OR NEW.hotel_id <> stay.hotel_id THEN
        RAISE EXCEPTION 'the outcome of a booking is of its traveler and its hotel' USING ERRCODE = 'check_violation';
    ELSIF NEW.demo <> hotel_demo OR stay.demo <> hotel_demo OR person.demo AND NOT hotel_demo THEN
        RAISE EXCEPTION 'demo travelers and demo stays belong to demo hotels' USING ERRCODE = 'check_violation';
    END IF;
    NEW.nights_stayed := coalesce(NEW.nights_stayed, stay.check_out - stay.check_in);
    NEW.price_per_night := coalesce(
        NEW.price_per_night, greatest(1, stay.price_minor / (stay.rooms * (stay.check_out - stay.check_in))));
    NEW.currency := coalesce(NEW.currency, stay.currency);
    NEW.usd_cents_per_night := coalesce(NEW.usd_cents_per_night, stay.usd_cents_per_night);
    IF NEW.user_persona IS NULL AND person.consented THEN
        SELECT p.persona INTO NEW.user_persona FROM traveler_personas p WHERE p.user_id = stay.user_id;
    END IF;
    RETURN NEW;
END
$$;

-- What outcomes come to, by hotel and persona, in the order in which everybody takes these rows. A withdrawn one is nothing.
CREATE FUNCTION app.proof_of(outcomes booking_outcomes[]) RETURNS TABLE (
    hotel_id uuid, persona text, n bigint, satisfaction bigint, rebook_answers bigint, rebook_yes bigint, exceeded_answers bigint,
    exceeded_yes bigint, usd_cents bigint, highlights jsonb, pain_points jsonb
) LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    WITH counted AS (
        SELECT o.hotel_id, k.persona, o.withdrawn_at IS NULL AS counts, o.satisfaction_score, o.would_rebook,
               o.exceeded_expectations, o.usd_cents_per_night, o.highlights, o.pain_points
        FROM unnest(outcomes) AS o
        CROSS JOIN LATERAL (VALUES ('all'), (o.user_persona)) AS k(persona)
        WHERE k.persona IS NOT NULL
    ), words AS (
        SELECT w.hotel_id, w.persona,
               coalesce(jsonb_object_agg(w.code, w.n) FILTER (WHERE w.praise), '{}') AS highlights,
               coalesce(jsonb_object_agg(w.code, w.n) FILTER (WHERE NOT w.praise), '{}') AS pain_points
        FROM (
            SELECT c.hotel_id, c.persona, s.praise, s.code, count(*) AS n
            FROM counted c
            CROSS JOIN LATERAL (
                SELECT true AS praise, code FROM unnest(c.highlights) AS code
                UNION ALL
                SELECT false, code FROM unnest(c.pain_points) AS code
            ) AS s
            WHERE c.counts
            GROUP BY c.hotel_id, c.persona, s.praise, s.code
        ) AS w
        GROUP BY w.hotel_id, w.persona
    ), sums AS (
        SELECT c.hotel_id, c.persona, count(*) FILTER (WHERE c.counts) AS n,
               coalesce(sum(c.satisfaction_score) FILTER (WHERE c.counts), 0) AS satisfaction,
               count(c.would_rebook) FILTER (WHERE c.counts) AS rebook_answers,
               count(*) FILTER (WHERE c.counts AND c.would_rebook) AS rebook_yes,
               count(c.exceeded_expectations) FILTER (WHERE c.counts) AS exceeded_answers,
               count(*) FILTER (WHERE c.counts AND c.exceeded_expectations) AS exceeded_yes,
               coalesce(sum(c.usd_cents_per_night) FILTER (WHERE c.counts), 0)::bigint AS usd_cents
        FROM counted c
        GROUP BY c.hotel_id, c.persona
    )
    SELECT s.hotel_id, s.persona, s.n, s.satisfaction, s.rebook_answers, s.rebook_yes, s.exceeded_answers, s.exceeded_yes,
           s.usd_cents, coalesce(w.highlights, '{}'), coalesce(w.pain_points, '{}')
    FROM sums s LEFT JOIN words w ON w.hotel_id = s.hotel_id AND w.persona = s.persona
    ORDER BY s.hotel_id, s.persona;
END
$$;

CREATE FUNCTION app.count_outcomes(come booking_outcomes[]) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO social_proof_cache AS c (hotel_id, persona, n, satisfaction_sum, rebook_answers, rebook_yes, exceeded_answers,
                                         exceeded_yes, usd_cents_sum, highlight_counts, pain_point_counts)
    SELECT * FROM app.proof_of(come) AS p ORDER BY p.hotel_id, p.persona
    ON CONFLICT (hotel_id, persona) DO UPDATE SET
        n = c.n + excluded.n,
        satisfaction_sum = c.satisfaction_sum + excluded.satisfaction_sum,
        rebook_answers = c.rebook_answers + excluded.rebook_answers,
        rebook_yes = c.rebook_yes + excluded.rebook_yes,
        exceeded_answers = c.exceeded_answers + excluded.exceeded_answers,
        exceeded_yes = c.exceeded_yes + excluded.exceeded_yes,
        usd_cents_sum = c.usd_cents_sum + excluded.usd_cents_sum,
        highlight_counts = app.add_counts(c.highlight_counts, excluded.highlight_counts),
        pain_point_counts = app.add_counts(c.pain_point_counts, excluded.pain_point_counts),
        updated_at = clock_timestamp();
END
$$;

-- The other way; their rows are there, and are locked in the common order first.
CREATE FUNCTION app.uncount_outcomes(gone booking_outcomes[]) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM social_proof_cache c
    WHERE (c.hotel_id, c.persona) IN (SELECT p.hotel_id, p.persona FROM app.proof_of(gone) AS p)
    ORDER BY c.hotel_id, c.persona FOR NO KEY UPDATE;
    UPDATE social_proof_cache c SET
        n = c.n - p.n,
        satisfaction_sum = c.satisfaction_sum - p.satisfaction,
        rebook_answers = c.rebook_answers - p.rebook_answers,
        rebook_yes = c.rebook_yes - p.rebook_yes,
        exceeded_answers = c.exceeded_answers - p.exceeded_answers,
        exceeded_yes = c.exceeded_yes - p.exceeded_yes,
        usd_cents_sum = c.usd_cents_sum - p.usd_cents,
        highlight_counts = app.add_counts(c.highlight_counts, p.highlights, -1),
        pain_point_counts = app.add_counts(c.pain_point_counts, p.pain_points, -1),
        updated_at = clock_timestamp()
    FROM app.proof_of(gone) AS p
    WHERE c.hotel_id = p.hotel_id AND c.persona = p.persona;
END
$$;

-- After outcomes were written, however many at once: one pass over the rows they touch.
CREATE FUNCTION app.keep_proof() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed booking_outcomes[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT array_agg(o) INTO changed FROM old_rows AS o;
        IF changed IS NOT NULL THEN
            PERFORM app.uncount_outcomes(changed);
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT array_agg(o) INTO changed FROM new_rows AS o;
        IF changed IS NOT NULL THEN
            PERFORM app.count_outcomes(changed);
        END IF;
    END IF;
    RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION
    app.keep_verification(), app.verify_paid_stay(), app.withdraw_outcome(), app.keep_persona(), app.check_outcome(),
    app.keep_proof()
TO rahhal_owner;

SET LOCAL ROLE rahhal_owner;

CREATE TRIGGER verification BEFORE INSERT OR UPDATE OF status, verified_at ON bookings
    FOR EACH ROW EXECUTE FUNCTION app.keep_verification();
CREATE TRIGGER verification AFTER INSERT OR UPDATE OF status ON payments
    FOR EACH ROW WHEN (NEW.status = 'paid') EXECUTE FUNCTION app.verify_paid_stay();
CREATE TRIGGER withdrawal AFTER UPDATE ON bookings
    FOR EACH ROW WHEN ((OLD.verified_at IS NULL) <> (NEW.verified_at IS NULL)) EXECUTE FUNCTION app.withdraw_outcome();

CREATE TRIGGER persona_added AFTER INSERT ON bookings
    FOR EACH ROW WHEN (NEW.verified_at IS NOT NULL) EXECUTE FUNCTION app.keep_persona();
CREATE TRIGGER persona_changed AFTER UPDATE ON bookings
    FOR EACH ROW WHEN (
        (OLD.verified_at IS NULL, OLD.usd_cents_per_night, OLD.user_id, OLD.hotel_id, OLD.check_in, OLD.check_out, OLD.adults,
         OLD.children)
        IS DISTINCT FROM
        (NEW.verified_at IS NULL, NEW.usd_cents_per_night, NEW.user_id, NEW.hotel_id, NEW.check_in, NEW.check_out, NEW.adults,
         NEW.children))
    EXECUTE FUNCTION app.keep_persona();
CREATE TRIGGER persona_removed AFTER DELETE ON bookings
    FOR EACH ROW WHEN (OLD.verified_at IS NOT NULL) EXECUTE FUNCTION app.keep_persona();

CREATE TRIGGER checked BEFORE INSERT OR UPDATE ON booking_outcomes
    FOR EACH ROW EXECUTE FUNCTION app.check_outcome();
CREATE TRIGGER proof_added AFTER INSERT ON booking_outcomes
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION app.keep_proof();
CREATE TRIGGER proof_changed AFTER UPDATE ON booking_outcomes
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION app.keep_proof();
CREATE TRIGGER proof_removed AFTER DELETE ON booking_outcomes
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION app.keep_proof();

RESET ROLE;
