-- role: rahhal_owner
-- What is foreseen, and what came of it: a traveler's next trip, and how a booked stay will be.
--
-- A prediction is written once and never touched up: only what really happened is added to it, in the transaction in which
-- it happened. Nothing of it reaches a traveler before it has beaten a plain guess on real outcomes (app.prediction_record).

SET LOCAL ROLE rahhal_service;

-- A day of a JSON document, as YYYY-MM-DD; NULL where it is none.
CREATE FUNCTION app.json_day(document jsonb, field text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN document ->> field ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
                THEN make_date(substr(document ->> field, 1, 4)::integer, substr(document ->> field, 6, 2)::integer,
                               substr(document ->> field, 9, 2)::integer) END;

-- {earliest, check_in, latest, check_out}: the likely arrival between the first and last that would still be this trip.
CREATE FUNCTION app.are_predicted_dates(dates jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        app.json_day(dates, 'earliest') <= app.json_day(dates, 'check_in')
        AND app.json_day(dates, 'check_in') <= app.json_day(dates, 'latest')
        AND app.json_day(dates, 'latest') - app.json_day(dates, 'earliest') <= 92
        AND app.json_day(dates, 'check_out') - app.json_day(dates, 'check_in') BETWEEN 1 AND 90, false);

-- {currency, low, high}: a room a night, in minor units.
CREATE FUNCTION app.is_budget_range(budget jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        budget ->> 'currency' ~ '^[A-Z]{3}$'
        AND budget ->> 'low' ~ '^[1-9][0-9]{0,14}$' AND budget ->> 'high' ~ '^[1-9][0-9]{0,14}$'
        AND (budget ->> 'low')::bigint <= (budget ->> 'high')::bigint, false);

-- Why: one to six of the reasons people can be told, each {reason, …} with the figures of its sentence.
CREATE FUNCTION app.are_reasons(reasons jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = '' AS $$
BEGIN
    IF reasons IS NULL OR jsonb_typeof(reasons) <> 'array' OR jsonb_array_length(reasons) NOT BETWEEN 1 AND 6 THEN
        RETURN false;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM jsonb_array_elements(reasons) AS r
        WHERE coalesce(r ->> 'reason', '') <> ALL (
            ARRAY['city', 'city_month', 'city_season', 'month', 'season', 'popular', 'spend', 'nights']));
END
$$;

GRANT EXECUTE ON FUNCTION
    app.json_day(jsonb, text), app.are_predicted_dates(jsonb), app.is_budget_range(jsonb), app.are_reasons(jsonb)
TO rahhal_owner;

RESET ROLE;
SET LOCAL ROLE rahhal_owner;

-- ------------------------------------------------------------------------------------------------ tables

CREATE TABLE trip_predictions (
    id                     uuid PRIMARY KEY DEFAULT app.uuidv7(),
    user_id                uuid NOT NULL REFERENCES users,
    predicted_destination  text NOT NULL CHECK (length(predicted_destination) BETWEEN 1 AND 80),
    city                   bigint NOT NULL CHECK (city > 0),          -- GeoNames
    predicted_dates        jsonb NOT NULL CHECK (app.are_predicted_dates(predicted_dates)),
    predicted_budget_range jsonb NOT NULL CHECK (app.is_budget_range(predicted_budget_range)),
    confidence_level       numeric(4, 3) NOT NULL CHECK (confidence_level BETWEEN 0 AND 1), -- of city and dates together
    prediction_reasoning   jsonb NOT NULL CHECK (app.are_reasons(prediction_reasoning)),
    baseline_city          bigint NOT NULL CHECK (baseline_city > 0), -- where most people went: the guess to beat
    model                  text NOT NULL CHECK (length(model) BETWEEN 1 AND 64),
    demo                   boolean NOT NULL,                          -- made from stays at demo hotels
    created_at             timestamptz NOT NULL,
    expires_at             timestamptz NOT NULL,
    shown_at               timestamptz,
    -- what came of it: open until the first booking, until it expires, or until a newer one takes its place
    closed_at              timestamptz,
    closed_because         text CHECK (closed_because IN ('converted', 'missed', 'expired', 'replaced')),
    actual_city            bigint,                                    -- of the first booking while it was open
    converted_trip_id      uuid REFERENCES trips,
    converted_at           timestamptz,
    CHECK (expires_at > created_at),
    CHECK (num_nulls(closed_at, closed_because) IN (0, 2)),
    CHECK ((coalesce(closed_because, '') = 'converted') = (num_nulls(converted_trip_id, converted_at) = 0)),
    CHECK ((coalesce(closed_because, '') IN ('converted', 'missed')) = (actual_city IS NOT NULL))
);
CREATE INDEX trip_predictions_user ON trip_predictions (user_id, created_at);
CREATE INDEX trip_predictions_open ON trip_predictions (expires_at) WHERE closed_at IS NULL;
CREATE INDEX trip_predictions_trip ON trip_predictions (converted_trip_id) WHERE converted_trip_id IS NOT NULL;
CREATE INDEX trip_predictions_judged ON trip_predictions (closed_at) WHERE actual_city IS NOT NULL AND NOT demo;

-- Marks are of 10. A rating is the hotel's: predicted from what all its guests said (which is the plain guess to beat), actual
-- from the marks she gave to its aspects, or her whole mark where she gave none. Satisfaction is hers.
CREATE TABLE outcome_predictions (
    id                     uuid PRIMARY KEY DEFAULT app.uuidv7(),
    booking_id             uuid NOT NULL UNIQUE REFERENCES bookings,
    user_id                uuid NOT NULL REFERENCES users,
    predictions            jsonb NOT NULL CHECK (jsonb_typeof(predictions) = 'object'),        -- the likely range of each figure
    factors_considered     jsonb NOT NULL CHECK (jsonb_typeof(factors_considered) = 'object'), -- what moved it, and how far
    predicted_rating       numeric(4, 2) NOT NULL CHECK (predicted_rating BETWEEN 1 AND 10),
    predicted_satisfaction numeric(4, 2) NOT NULL CHECK (predicted_satisfaction BETWEEN 1 AND 10),
    confidence_level       numeric(4, 3) NOT NULL CHECK (confidence_level BETWEEN 0 AND 1), -- that her mark is at most one away
    cancellation_risk      numeric(4, 3) NOT NULL CHECK (cancellation_risk BETWEEN 0 AND 1), -- for operators only
    model                  text NOT NULL CHECK (length(model) BETWEEN 1 AND 64),
    demo                   boolean NOT NULL,
    created_at             timestamptz NOT NULL,
    -- what she said afterwards
    actual_rating          numeric(4, 2) CHECK (actual_rating BETWEEN 1 AND 10),
    actual_satisfaction    smallint CHECK (actual_satisfaction BETWEEN 1 AND 10),
    actual_at              timestamptz,
    prediction_accuracy    numeric GENERATED ALWAYS AS (1 - abs(predicted_satisfaction - actual_satisfaction) / 9) STORED
        CHECK (prediction_accuracy BETWEEN 0 AND 1),
    CHECK (num_nulls(actual_rating, actual_satisfaction, actual_at) IN (0, 3))
);
CREATE INDEX outcome_predictions_user ON outcome_predictions (user_id);
CREATE INDEX outcome_predictions_judged ON outcome_predictions (actual_at) WHERE actual_at IS NOT NULL AND NOT demo;

-- Bookings are predicted soon after they are made, by a job: the turn that books stays small. Only what lies ahead is in it, so
-- it is built in a moment.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bookings_confirmed ON bookings (confirmed_at) WHERE status = 'confirmed';

SELECT app.isolate('trip_predictions');
SELECT app.isolate('outcome_predictions');

GRANT SELECT ON trip_predictions TO rahhal_app;
GRANT SELECT (booking_id, user_id, predicted_rating, predicted_satisfaction, confidence_level, demo, created_at, actual_rating,
              actual_satisfaction, actual_at, prediction_accuracy)
    ON outcome_predictions TO rahhal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON trip_predictions, outcome_predictions TO rahhal_service;

-- ------------------------------------------------------------------------------------------------ what really happened

SET LOCAL ROLE rahhal_service;

-- After a booking was confirmed: her open prediction came true, or did not.
CREATE FUNCTION app.settle_trip_prediction() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE trip_predictions p SET
        closed_at = NEW.confirmed_at,
        closed_because = CASE WHEN came.matches THEN 'converted' ELSE 'missed' END,
        actual_city = came.city,
        converted_trip_id = CASE WHEN came.matches THEN NEW.trip_id END,
        converted_at = CASE WHEN came.matches THEN NEW.confirmed_at END
    FROM (
        SELECT q.id, h.city,
               h.city = q.city AND NEW.check_in BETWEEN app.json_day(q.predicted_dates, 'earliest')
                                                    AND app.json_day(q.predicted_dates, 'latest') AS matches
        FROM trip_predictions q, hotels h
        WHERE q.user_id = NEW.user_id AND q.closed_at IS NULL AND q.expires_at > NEW.confirmed_at AND q.demo = NEW.demo
          AND h.id = NEW.hotel_id
    ) AS came
    WHERE p.id = came.id;
    RETURN NULL;
END
$$;

-- After an outcome was told, corrected, withdrawn or erased.
CREATE FUNCTION app.settle_outcome_prediction() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.withdrawn_at IS NOT NULL THEN
        UPDATE outcome_predictions SET actual_rating = NULL, actual_satisfaction = NULL, actual_at = NULL
        WHERE booking_id = OLD.booking_id AND actual_at IS NOT NULL;
    ELSE
        UPDATE outcome_predictions SET
            actual_satisfaction = NEW.satisfaction_score,
            actual_rating = coalesce(
                (SELECT avg(r.value::numeric) FROM jsonb_each_text(NEW.ratings) AS r), NEW.satisfaction_score),
            actual_at = NEW.created_at
        WHERE booking_id = NEW.booking_id;
    END IF;
    RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION app.settle_trip_prediction(), app.settle_outcome_prediction() TO rahhal_owner;

SET LOCAL ROLE rahhal_owner;

CREATE TRIGGER trip_prediction AFTER UPDATE OF status ON bookings
    FOR EACH ROW WHEN (OLD.status = 'held' AND NEW.status = 'confirmed') EXECUTE FUNCTION app.settle_trip_prediction();
CREATE TRIGGER outcome_prediction AFTER INSERT OR DELETE OR UPDATE OF satisfaction_score, ratings, withdrawn_at
    ON booking_outcomes FOR EACH ROW EXECUTE FUNCTION app.settle_outcome_prediction();

-- ------------------------------------------------------------------------------------------------ the record

SET LOCAL ROLE rahhal_service;

-- How the newest real predictions did beside the plain guess, `kind` being outcome or trip. errors: of an outcome, the mean
-- distance from her mark; of a trip, the share of wrong cities. proven: at least 200 of them, and better than the guess by
-- more than chance explains (paired, one-sided, 5 %).
CREATE FUNCTION app.prediction_record(
    kind text, OUT n bigint, OUT error double precision, OUT baseline_error double precision, OUT proven boolean
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH judged AS (
        (SELECT abs(p.predicted_satisfaction - p.actual_satisfaction)::double precision AS ours,
                abs(p.predicted_rating - p.actual_satisfaction)::double precision AS guess
         FROM outcome_predictions p WHERE kind = 'outcome' AND p.actual_at IS NOT NULL AND NOT p.demo
         ORDER BY p.actual_at DESC LIMIT 2000)
        UNION ALL
        (SELECT (p.city <> p.actual_city)::integer, (p.baseline_city <> p.actual_city)::integer
         FROM trip_predictions p WHERE kind = 'trip' AND p.actual_city IS NOT NULL AND NOT p.demo
         ORDER BY p.closed_at DESC LIMIT 2000)
    )
    SELECT count(*), avg(j.ours), avg(j.guess),
           count(*) >= 200
           AND coalesce(avg(j.guess - j.ours) > 1.645 * stddev_samp(j.guess - j.ours) / sqrt(count(*)), false)
    FROM judged j
$$;

-- ------------------------------------------------------------------------------------------------ doors of a turn

-- She has been told of it: once. False when it is not hers, is closed, or was shown before.
CREATE FUNCTION app.show_trip_prediction(prediction uuid, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE trip_predictions SET shown_at = moment
    WHERE id = prediction AND user_id = app.user_id() AND closed_at IS NULL AND expires_at > moment AND shown_at IS NULL;
    RETURN FOUND;
END
$$;

-- ------------------------------------------------------------------------------------------------ doors of the worker

-- Bookings made in the last week that nobody has looked at yet, with what is known when a room is booked. Her own past and
-- persona only where she consented to learning from it.
CREATE FUNCTION app.bookings_to_predict(moment timestamptz, most integer) RETURNS TABLE (
    booking_id uuid, user_id uuid, demo boolean, lead_days integer, nights integer, children integer, resort boolean,
    usd_cents_per_night bigint, own_stays bigint,
    hotel_n bigint, hotel_sum bigint, persona_n bigint, persona_sum bigint, city_n bigint, city_sum bigint,
    everywhere_n bigint, everywhere_sum bigint, own_n bigint, own_surplus double precision
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH due AS MATERIALIZED (
        SELECT b.*, h.city, h.setting, u.consented IS TRUE AS learnt_from
        FROM bookings b
        JOIN hotels h ON h.id = b.hotel_id
        JOIN users u ON u.id = b.user_id
        WHERE b.status = 'confirmed' AND b.confirmed_at > moment - interval '7 days' AND b.starts_at > moment
          AND NOT EXISTS (SELECT FROM outcome_predictions p WHERE p.booking_id = b.id)
        ORDER BY b.confirmed_at
        LIMIT most
    ), cities AS MATERIALIZED (
        SELECT c.city, h.demo, sum(s.n)::bigint AS n, sum(s.satisfaction_sum)::bigint AS total
        FROM (SELECT DISTINCT d.city FROM due d) AS c
        JOIN hotels h ON h.city = c.city AND h.listed
        JOIN social_proof_cache s ON s.hotel_id = h.id AND s.persona = 'all'
        GROUP BY c.city, h.demo
    ), worlds AS MATERIALIZED (
        SELECT h.demo, sum(s.n)::bigint AS n, sum(s.satisfaction_sum)::bigint AS total
        FROM social_proof_cache s JOIN hotels h ON h.id = s.hotel_id
        WHERE s.persona = 'all' AND EXISTS (SELECT FROM due)
        GROUP BY h.demo
    )
    SELECT d.id, d.user_id, d.demo, greatest(0, d.check_in - (d.confirmed_at AT TIME ZONE d.timezone)::date),
           d.check_out - d.check_in, d.children::integer, d.setting IN ('beach', 'desert', 'mountain'),
           app.usd_cents(d.price_minor::numeric / (d.rooms * (d.check_out - d.check_in)), d.currency),
           past.stays, coalesce(hotel.n, 0), coalesce(hotel.satisfaction_sum, 0), coalesce(alike.n, 0), coalesce(alike.satisfaction_sum, 0),
           coalesce(c.n, 0), coalesce(c.total, 0), coalesce(w.n, 0), coalesce(w.total, 0), told.n, told.surplus
    FROM due d
    LEFT JOIN social_proof_cache hotel ON hotel.hotel_id = d.hotel_id AND hotel.persona = 'all'
    LEFT JOIN traveler_personas p ON p.user_id = d.user_id AND d.learnt_from
    LEFT JOIN social_proof_cache alike ON alike.hotel_id = d.hotel_id AND alike.persona = p.persona
    LEFT JOIN cities c ON c.city = d.city AND c.demo = d.demo
    LEFT JOIN worlds w ON w.demo = d.demo
    CROSS JOIN LATERAL (
        SELECT count(*) AS stays FROM bookings b
        WHERE d.learnt_from AND b.user_id = d.user_id AND b.status = 'completed' AND b.confirmed_at < d.confirmed_at
    ) AS past
    CROSS JOIN LATERAL (
        SELECT count(*) AS n, coalesce(sum(o.satisfaction_score - s.avg_satisfaction), 0)::double precision AS surplus
        FROM booking_outcomes o
        JOIN social_proof_cache s ON s.hotel_id = o.hotel_id AND s.persona = 'all'
        WHERE d.learnt_from AND o.user_id = d.user_id AND o.withdrawn_at IS NULL AND o.demo = d.demo AND s.n > 0
    ) AS told
    ORDER BY d.confirmed_at
$$;

-- Keep what was foreseen of bookings; one that has a prediction keeps it. Returns how many are new.
CREATE FUNCTION app.keep_outcome_predictions(made jsonb, moment timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept integer;
BEGIN
    INSERT INTO outcome_predictions (booking_id, user_id, predictions, factors_considered, predicted_rating, predicted_satisfaction,
                                     confidence_level, cancellation_risk, model, demo, created_at)
    SELECT b.id, b.user_id, m.predictions, m.factors_considered, m.predicted_rating, m.predicted_satisfaction,
           m.confidence_level, m.cancellation_risk, m.model, b.demo, moment
    FROM jsonb_populate_recordset(NULL::outcome_predictions, made) AS m JOIN bookings b ON b.id = m.booking_id
    ORDER BY b.id
    ON CONFLICT (booking_id) DO NOTHING;
    GET DIAGNOSTICS kept = ROW_COUNT;
    RETURN kept;
END
$$;

-- The next travelers to make a prediction for: active, consenting, heard of within a year, with verified stays, no trip ahead and
-- no prediction of the last week. Everybody's turn comes in the order of their ids; `leases` remembers how far it went. Also closes what has
-- expired. stays: [{city, city_ar, check_in, nights, usd_cents}], the latest 30, a room a night.
CREATE FUNCTION app.travelers_to_predict(moment timestamptz, most integer) RETURNS TABLE (
    user_id uuid, demo boolean, currency text, stays jsonb
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    after uuid;
    last uuid;
BEGIN
    UPDATE trip_predictions t SET closed_at = t.expires_at, closed_because = 'expired'
    WHERE t.closed_at IS NULL AND t.expires_at <= moment;

    INSERT INTO leases (name, holder, leased_until, value) VALUES ('predict_trips', '', '-infinity', '{}')
    ON CONFLICT (name) DO NOTHING;
    SELECT coalesce((l.value ->> 'after')::uuid, '00000000-0000-0000-0000-000000000000') INTO after
    FROM leases l WHERE l.name = 'predict_trips' FOR UPDATE;
    SELECT p.user_id INTO last FROM traveler_personas p WHERE p.user_id > after ORDER BY p.user_id OFFSET most - 1 LIMIT 1;
    UPDATE leases SET value = jsonb_build_object('after', last) WHERE name = 'predict_trips';

    RETURN QUERY
    SELECT p.user_id, past.demo, past.currency, past.stays
    FROM traveler_personas p
    JOIN users u ON u.id = p.user_id
    CROSS JOIN LATERAL (
        SELECT (array_agg(s.demo ORDER BY s.check_in DESC))[1] AS demo,
               (array_agg(s.currency::text ORDER BY s.check_in DESC))[1] AS currency,
               jsonb_agg(jsonb_build_object(
                   'city', s.city, 'city_ar', s.city_ar, 'check_in', s.check_in, 'nights', s.check_out - s.check_in,
                   'usd_cents', s.usd_cents_per_night) ORDER BY s.check_in) AS stays
        FROM (
            SELECT b.check_in, b.check_out, b.usd_cents_per_night, b.currency, b.demo, h.city, h.city_ar
            FROM bookings b JOIN hotels h ON h.id = b.hotel_id
            WHERE b.user_id = p.user_id AND b.verified_at IS NOT NULL
            ORDER BY b.check_in DESC LIMIT 30
        ) AS s
    ) AS past
    WHERE p.user_id > after AND (last IS NULL OR p.user_id <= last) AND p.n > 0 AND NOT u.demo
      AND u.account_status = 'active' AND u.consented AND u.last_login_at > moment - interval '1 year'
      AND NOT EXISTS (SELECT FROM bookings b
                      WHERE b.user_id = p.user_id AND b.status = 'confirmed' AND b.check_in > moment::date)
      AND NOT EXISTS (SELECT FROM trip_predictions t
                      WHERE t.user_id = p.user_id AND t.created_at > moment - interval '6 days 12 hours')
    ORDER BY p.user_id;
END
$$;

-- Where, when and for how much people travel: verified stays of the last three years, by demo or real hotels, with the city's
-- Arabic name. One row a city and month of arrival; a mean price of less than five people is not told.
CREATE FUNCTION app.trip_population(of_demo boolean, moment timestamptz) RETURNS TABLE (
    city bigint, city_ar text, month integer, n bigint, log_price double precision
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT h.city, min(h.city_ar), extract(month FROM b.check_in)::integer, count(*),
           CASE WHEN count(DISTINCT b.user_id) >= 5 THEN avg(ln(b.usd_cents_per_night::double precision)) END
    FROM bookings b JOIN hotels h ON h.id = b.hotel_id
    WHERE b.verified_at IS NOT NULL AND b.demo = of_demo AND b.check_in > moment::date - 1096
    GROUP BY h.city, extract(month FROM b.check_in)
    ORDER BY h.city, 3
$$;

-- US cents in another currency, to two figures, in its minor units.
CREATE FUNCTION app.about(usd_cents bigint, in_currency text) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT greatest(1, round(a.minor, 2 - length(trunc(a.minor)::text)))::bigint
    FROM exchange_rates r CROSS JOIN LATERAL (SELECT usd_cents / 100.0 * r.per_usd * 10::numeric ^ r.minor_units AS minor) AS a
    WHERE r.currency = in_currency
$$;

-- Keep a prediction of somebody's next trip, its budget in the currency in which hotels there have their prices (in_currency where
-- there are none). The same place and days as the one that is open: nothing new. Otherwise it takes
-- that one's place. Returns whether it is new.
CREATE FUNCTION app.keep_trip_prediction(
    person uuid, destination text, to_city bigint, dates jsonb, low_usd_cents bigint, high_usd_cents bigint, in_currency text,
    confidence double precision, reasons jsonb, popular_city bigint, by_model text, of_demo boolean, moment timestamptz, until timestamptz
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    standing trip_predictions;
    told_in CONSTANT text := coalesce(
        (SELECT h.currency FROM hotels h WHERE h.city = to_city AND h.listed ORDER BY h.id LIMIT 1), in_currency);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('trip_prediction ' || person, 0));
    SELECT p.* INTO standing FROM trip_predictions p
    WHERE p.user_id = person AND p.closed_at IS NULL ORDER BY p.created_at DESC LIMIT 1;
    IF standing.city = to_city AND standing.predicted_dates -> 'check_in' = dates -> 'check_in' THEN
        RETURN false;
    END IF;
    UPDATE trip_predictions p SET closed_at = moment, closed_because = 'replaced'
    WHERE p.user_id = person AND p.closed_at IS NULL;
    INSERT INTO trip_predictions (user_id, predicted_destination, city, predicted_dates, predicted_budget_range, confidence_level,
                                  prediction_reasoning, baseline_city, model, demo, created_at, expires_at)
    VALUES (person, destination, to_city, dates,
            jsonb_build_object('currency', told_in, 'low', app.about(low_usd_cents, told_in),
                               'high', app.about(high_usd_cents, told_in)),
            confidence, reasons, popular_city, by_model, of_demo, moment, until);
    RETURN true;
END
$$;

GRANT EXECUTE ON FUNCTION app.prediction_record(text) TO rahhal_app, rahhal_worker, rahhal_owner, rahhal_analytics;
GRANT EXECUTE ON FUNCTION app.show_trip_prediction(uuid, timestamptz) TO rahhal_app;
GRANT EXECUTE ON FUNCTION
    app.bookings_to_predict(timestamptz, integer), app.keep_outcome_predictions(jsonb, timestamptz),
    app.travelers_to_predict(timestamptz, integer), app.trip_population(boolean, timestamptz),
    app.keep_trip_prediction(uuid, text, bigint, jsonb, bigint, bigint, text, double precision, jsonb, bigint, text, boolean,
                             timestamptz, timestamptz)
TO rahhal_worker;

RESET ROLE;
