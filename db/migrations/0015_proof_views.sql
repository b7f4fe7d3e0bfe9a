-- role: rahhal_owner
-- What is read of outcomes: personas, social proof that counts to five before it speaks, and views for what nobody waits for.
--
-- squawk-ignore-file require-concurrent-index-creation
-- The views are new, and the two indexes over bookings are partial: built in the file's one transaction.
--
-- Satisfaction is 1 to 10, rates are 0 to 1. Fewer than five stays say nothing, not even how many they are.

-- REFRESH … CONCURRENTLY compares through a temporary table.
SET LOCAL ROLE NONE;
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO rahhal_owner', current_database()); END $$;

SET LOCAL ROLE rahhal_owner;

CREATE INDEX bookings_over ON bookings (check_out) WHERE status = 'confirmed';

-- ------------------------------------------------------------------------------------------------ what to expect

-- The mean satisfaction of a city, and everywhere (city 0), where at least 30 stays tell of it. A hotel of few stays is
-- drawn towards it. Fictional hotels are a world of their own.
CREATE MATERIALIZED VIEW satisfaction_priors AS
    SELECT coalesce(h.city, 0) AS city, h.demo, sum(c.n) AS stays, sum(c.satisfaction_sum)::numeric / sum(c.n) AS mean
    FROM social_proof_cache c JOIN hotels h ON h.id = c.hotel_id
    WHERE c.persona = 'all'
    GROUP BY GROUPING SETS ((h.city, h.demo), (h.demo))
    HAVING sum(c.n) >= 30;
CREATE UNIQUE INDEX satisfaction_priors_city ON satisfaction_priors (city, demo);
GRANT SELECT ON satisfaction_priors TO rahhal_service;

SET LOCAL ROLE rahhal_service;

-- The lower end of what a share of n can be, at 95 % (Wilson's score interval): 20 of 23 says more than 2 of 2. NULL for n = 0.
CREATE FUNCTION app.wilson_lower(yes bigint, n bigint) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n > 0 THEN greatest(0,
        (yes + 1.920729 - 1.96 * sqrt(yes::double precision * (n - yes) / n + 0.960365)) / (n + 3.841459)) END;

-- Whether a kind of traveler may be shown beside all travelers of a hotel. Who subtracts what is shown from 'all' must be left
-- with nobody or with at least five: where fewer would remain, the smallest kind that is shown stays hidden among the others.
CREATE FUNCTION app.stands_alone(hotel uuid, kind text) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    remain bigint;
    smallest text;
BEGIN
    IF kind = 'all' THEN
        RETURN true;
    END IF;
    SELECT sum(c.n) FILTER (WHERE c.persona = 'all') - coalesce(sum(c.n) FILTER (WHERE c.persona <> 'all' AND c.n >= 5), 0),
           (array_agg(c.persona ORDER BY c.n, c.persona) FILTER (WHERE c.persona <> 'all' AND c.n >= 5))[1]
    INTO remain, smallest
    FROM social_proof_cache c WHERE c.hotel_id = hotel;
    RETURN remain NOT BETWEEN 1 AND 4 OR smallest <> kind;
END
$$;

-- What guests say of these hotels: a row for all of them ('all') and, when a persona is asked for, one for those of that
-- persona; only where there are at least five, and no count of a question that fewer answered. A key lookup, asked with every
-- card: its plan is made once.
CREATE FUNCTION app.social_proof(of_hotels uuid[], wanted text DEFAULT NULL) RETURNS TABLE (
    hotel_id uuid, persona text, total_bookings integer, avg_rating numeric, rebook_yes integer, rebook_answers integer,
    exceeded_yes integer, exceeded_answers integer, highlights text[], pain_points text[]
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT c.hotel_id, c.persona, c.n, round(c.avg_satisfaction, 2),
           CASE WHEN c.rebook_answers >= 5 THEN c.rebook_yes END, CASE WHEN c.rebook_answers >= 5 THEN c.rebook_answers END,
           CASE WHEN c.exceeded_answers >= 5 THEN c.exceeded_yes END,
           CASE WHEN c.exceeded_answers >= 5 THEN c.exceeded_answers END,
           c.highlights, c.pain_points
    FROM social_proof_cache c
    WHERE c.hotel_id = ANY (of_hotels) AND c.persona IN ('all', wanted) AND c.n >= 5
      AND app.stands_alone(c.hotel_id, c.persona);
END
$$;

-- The same, weighed: for comparing hotels.
--   avg_rating       the plain mean, of 10
--   smoothed_rating  the mean as if ten more stays had been like what was to be expected: a persona's like all of the hotel's,
--                    a hotel's like its city's (or everywhere's, or 7)
--   trust_score      0 to 1: the Wilson lower bound of the share that would rebook, times smoothed_rating / 10. It grows with the
--                    number of stays as well as with their praise. NULL while fewer than five answered that question.
CREATE FUNCTION app.weighed_proof(of_hotels uuid[], wanted text DEFAULT NULL) RETURNS TABLE (
    hotel_id uuid, persona text, total_bookings integer, avg_rating numeric, smoothed_rating numeric,
    rebook_yes integer, rebook_answers integer, rebook_rate numeric,
    exceeded_yes integer, exceeded_answers integer, exceeded_rate numeric, trust_score numeric, value_score numeric,
    highlights text[], pain_points text[]
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT c.hotel_id, c.persona, c.n, round(c.avg_satisfaction, 2), round(s.rating, 2),
           CASE WHEN c.rebook_answers >= 5 THEN c.rebook_yes END, CASE WHEN c.rebook_answers >= 5 THEN c.rebook_answers END,
           CASE WHEN c.rebook_answers >= 5 THEN round(c.rebooking_rate, 4) END,
           CASE WHEN c.exceeded_answers >= 5 THEN c.exceeded_yes END,
           CASE WHEN c.exceeded_answers >= 5 THEN c.exceeded_answers END,
           CASE WHEN c.exceeded_answers >= 5 THEN round(c.expectation_exceeded_rate, 4) END,
           CASE WHEN c.rebook_answers >= 5
                THEN round((app.wilson_lower(c.rebook_yes, c.rebook_answers) * s.rating::double precision / 10)::numeric, 4) END,
           round(c.value_score, 2), c.highlights, c.pain_points
    FROM hotels h
    JOIN social_proof_cache a ON a.hotel_id = h.id AND a.persona = 'all' AND a.n >= 5
    JOIN social_proof_cache c ON c.hotel_id = h.id AND c.persona IN ('all', wanted) AND c.n >= 5
    CROSS JOIN LATERAL ( -- OFFSET 0: worked out once
        SELECT coalesce((SELECT p.mean FROM satisfaction_priors p
                         WHERE p.city IN (h.city, 0) AND p.demo = h.demo ORDER BY p.city DESC LIMIT 1), 7) AS mean OFFSET 0
    ) AS expected
    CROSS JOIN LATERAL (SELECT (a.satisfaction_sum + 10 * expected.mean) / (a.n + 10) AS rating OFFSET 0) AS overall
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.persona = 'all' THEN overall.rating
                    ELSE (c.satisfaction_sum + 10 * overall.rating) / (c.n + 10) END AS rating
    ) AS s
    WHERE h.id = ANY (of_hotels) AND app.stands_alone(c.hotel_id, c.persona);
END
$$;

GRANT EXECUTE ON FUNCTION app.social_proof(uuid[], text) TO rahhal_owner, rahhal_app;
GRANT EXECUTE ON FUNCTION app.stands_alone(uuid, text) TO rahhal_owner; -- whose views ask it
GRANT EXECUTE ON FUNCTION app.weighed_proof(uuid[], text), app.wilson_lower(bigint, bigint)
TO rahhal_owner, rahhal_app, rahhal_analytics;

-- ------------------------------------------------------------------------------------------------ stays

-- Confirmed bookings whose stay has ended by the hotel's own clock are completed, and their trips with them. Up to `most`;
-- one that somebody is working on right now is left for the next time. Returns how many.
CREATE FUNCTION app.complete_stays(moment timestamptz, most integer DEFAULT 500) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stay record;
    completed integer := 0;
BEGIN
    FOR stay IN
        SELECT b.id, b.trip_id
        FROM bookings b JOIN hotels h ON h.id = b.hotel_id
        WHERE b.status = 'confirmed' AND b.check_out <= (moment AT TIME ZONE 'UTC')::date + 1
          AND (b.check_out + h.check_out_until) AT TIME ZONE b.timezone <= moment
        ORDER BY b.user_id, b.id
        LIMIT most
        FOR NO KEY UPDATE OF b SKIP LOCKED
    LOOP
        UPDATE bookings SET status = 'completed', updated_at = clock_timestamp() WHERE id = stay.id;
        UPDATE trips SET booking_status = 'completed', updated_at = clock_timestamp()
        WHERE id = stay.trip_id AND booking_status = 'confirmed';
        completed := completed + 1;
    END LOOP;
    RETURN completed;
END
$$;

-- The booking of a trip reference or confirmation number, locked. NULL: there is none.
CREATE FUNCTION app.booking_called(code text) RETURNS bookings LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    found_one bookings;
BEGIN
    SELECT b.* INTO found_one FROM bookings b JOIN trips t ON t.id = b.trip_id
    WHERE t.reference = upper(code) OR b.confirmation_number = upper(code)
    LIMIT 1
    FOR NO KEY UPDATE OF b;
    RETURN found_one;
END
$$;

-- What the hotel reports of a stay. `report`: no_show, came (the guest was there after all), paid (at the hotel).
-- Returns done, already, unknown, or not_yet (the stay has not begun, for a no-show; has not ended; was cancelled).
CREATE FUNCTION app.report_stay(code text, report text, moment timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stay bookings := app.booking_called(code);
BEGIN
    IF stay.id IS NULL THEN
        RETURN 'unknown';
    END IF;
    CASE report
        WHEN 'no_show' THEN
            IF stay.status = 'no_show' THEN
                RETURN 'already';
            ELSIF stay.status NOT IN ('confirmed', 'completed') OR stay.starts_at > moment THEN
                RETURN 'not_yet';
            END IF;
            UPDATE bookings SET status = 'no_show', updated_at = clock_timestamp() WHERE id = stay.id;
            UPDATE trips SET booking_status = 'completed', updated_at = clock_timestamp()
            WHERE id = stay.trip_id AND booking_status = 'confirmed';
        WHEN 'came' THEN
            IF stay.status = 'completed' THEN
                RETURN 'already';
            ELSIF stay.status <> 'no_show' THEN
                RETURN 'not_yet';
            END IF;
            UPDATE bookings SET status = 'completed', updated_at = clock_timestamp() WHERE id = stay.id;
        WHEN 'paid' THEN
            IF stay.status NOT IN ('confirmed', 'completed') THEN
                RETURN 'not_yet';
            END IF;
            UPDATE payments SET status = 'paid', updated_at = clock_timestamp() WHERE booking_id = stay.id AND status = 'due';
            IF NOT FOUND THEN
                RETURN 'already';
            END IF;
            UPDATE trips SET payment_status = 'paid', updated_at = clock_timestamp() WHERE id = stay.trip_id;
    END CASE;
    RETURN 'done';
END
$$;

-- ------------------------------------------------------------------------------------------------ outcomes

-- How a stay was, told by whose turn it is; again within 14 days of the first time: corrected. `outcome`: recorded, corrected,
-- same, too_late (to correct), not_stayed (not over, not hers, or she was not there).
CREATE FUNCTION app.record_outcome(
    booking uuid, score smallint, rebook boolean, exceeded boolean, liked text[], missed text[], marks jsonb, words text,
    moment timestamptz
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stay bookings;
    told booking_outcomes;
BEGIN
    SELECT b.* INTO stay FROM bookings b
    WHERE b.id = booking AND b.user_id = app.user_id() AND b.status = 'completed' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'not_stayed';
    END IF;
    SELECT o.* INTO told FROM booking_outcomes o WHERE o.booking_id = stay.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO booking_outcomes (booking_id, satisfaction_score, would_rebook, exceeded_expectations, highlights, pain_points,
                                      ratings, note, created_at, updated_at)
        VALUES (stay.id, score, rebook, exceeded, liked, missed, marks, words, moment, moment);
        RETURN 'recorded';
    ELSIF (told.satisfaction_score, told.would_rebook, told.exceeded_expectations, told.highlights, told.pain_points, told.ratings,
           told.note) IS NOT DISTINCT FROM (score, rebook, exceeded, liked, missed, marks, words) THEN
        RETURN 'same';
    ELSIF moment > told.created_at + interval '14 days' THEN
        RETURN 'too_late';
    END IF;
    UPDATE booking_outcomes SET
        satisfaction_score = score, would_rebook = rebook, exceeded_expectations = exceeded, highlights = liked,
        pain_points = missed, ratings = marks, note = words,
        note_shown = note_shown AND note IS NOT DISTINCT FROM words, -- other words must be read again first
        updated_at = moment
    WHERE id = told.id;
    RETURN 'corrected';
END
$$;

GRANT EXECUTE ON FUNCTION
    app.record_outcome(uuid, smallint, boolean, boolean, text[], text[], jsonb, text, timestamptz)
TO rahhal_app;
GRANT EXECUTE ON FUNCTION app.complete_stays(timestamptz, integer) TO rahhal_worker;
GRANT EXECUTE ON FUNCTION app.report_stay(text, text, timestamptz) TO rahhal_owner;

SET LOCAL ROLE rahhal_owner;

-- ------------------------------------------------------------------------------------------------ asking how it was

CREATE INDEX bookings_completed ON bookings (check_out) WHERE status = 'completed';

-- Who was asked about a stay, once; or why nobody was.
CREATE TABLE stay_surveys (
    booking_id      uuid PRIMARY KEY REFERENCES bookings,
    user_id         uuid NOT NULL REFERENCES users,
    conversation_id uuid REFERENCES conversations,
    fate            text NOT NULL CHECK (fate IN ('asked', 'told', 'stopped', 'window_closed', 'no_conversation')),
    decided_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (fate <> 'asked' OR conversation_id IS NOT NULL)
);
CREATE INDEX stay_surveys_user ON stay_surveys (user_id);
CREATE INDEX stay_surveys_conversation ON stay_surveys (conversation_id);
SELECT app.isolate('stay_surveys', NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON stay_surveys TO rahhal_service;

SET LOCAL ROLE rahhal_service;

-- Ask how it was, from ten in the morning (the hotel's) of the day after a stay, and not after a week. The question is an event
-- in her conversation, so that it is put by a turn like any other; it is no message of hers, so it neither opens
-- WhatsApp's window nor counts as a word from her. Who asked for silence anywhere is not asked at all; a conversation that is
-- being answered, or is in the middle of something, is left for the next time. Returns how many were asked.
CREATE FUNCTION app.ask_about_stays(moment timestamptz, most integer DEFAULT 200) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stay record;
    talk conversations;
    fate text;
    asked integer := 0;
BEGIN
    FOR stay IN
        SELECT b.id, b.user_id, t.reference
        FROM bookings b JOIN trips t ON t.id = b.trip_id JOIN users u ON u.id = b.user_id
        WHERE b.status = 'completed' AND b.check_out >= (moment AT TIME ZONE 'UTC')::date - 7
          AND (b.check_out + 1 + time '10:00') AT TIME ZONE b.timezone <= moment
          AND u.account_status = 'active' AND NOT u.demo
          AND NOT EXISTS (SELECT FROM stay_surveys s WHERE s.booking_id = b.id)
        ORDER BY b.user_id, b.id
        LIMIT most
        FOR NO KEY UPDATE OF b SKIP LOCKED
    LOOP
        fate := NULL;
        talk := NULL;
        IF EXISTS (SELECT FROM booking_outcomes o WHERE o.booking_id = stay.id) THEN
            fate := 'told';
        ELSIF EXISTS (SELECT FROM conversations c WHERE c.user_id = stay.user_id AND c.stopped_because = 'asked') THEN
            fate := 'stopped';
        ELSE
            SELECT c.* INTO talk FROM conversations c
            WHERE c.user_id = stay.user_id AND c.channel <> 'terminal'
            ORDER BY c.stopped_at IS NULL DESC, c.channel <> 'whatsapp' OR c.window_until > moment DESC, c.last_heard_at DESC
            LIMIT 1;
            fate := CASE
                WHEN talk.id IS NULL THEN 'no_conversation'
                WHEN talk.stopped_at IS NOT NULL THEN 'stopped'
                WHEN talk.channel = 'whatsapp' AND (talk.window_until > moment) IS NOT TRUE THEN 'window_closed'
                ELSE 'asked' END;
        END IF;
        IF fate = 'asked' THEN
            SELECT c.* INTO talk FROM conversations c
            WHERE c.id = talk.id AND c.stopped_at IS NULL
              AND (c.dialogue -> 'frames' IS NULL OR c.dialogue -> 'frames' = '[]' OR c.last_heard_at < moment - interval '1 hour')
              AND NOT EXISTS (SELECT FROM inbox i WHERE i.conversation_id = c.id AND i.answered_at IS NULL AND i.dead_at IS NULL)
            FOR NO KEY UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND;
        END IF;
        INSERT INTO stay_surveys (booking_id, user_id, conversation_id, fate) VALUES (stay.id, stay.user_id, talk.id, fate)
        ON CONFLICT (booking_id) DO NOTHING;
        CONTINUE WHEN NOT FOUND; -- another worker decided a moment ago
        IF fate = 'asked' THEN
            INSERT INTO inbox (channel, external_id, conversation_id, event, sent_at)
            VALUES (talk.channel, 'survey:' || stay.id, talk.id, jsonb_build_object(
                        'channel', talk.channel, 'external_id', 'survey:' || stay.id, 'thread', talk.thread,
                        'address', talk.address, 'sender', 'house',
                        'content', jsonb_build_object('type', 'due', 'name', 'survey', 'argument', stay.reference)),
                    talk.last_heard_at);
            asked := asked + 1;
        END IF;
    END LOOP;
    RETURN asked;
END
$$;
GRANT EXECUTE ON FUNCTION app.ask_about_stays(timestamptz, integer) TO rahhal_worker;

-- What guests wrote of a hotel and somebody has read before it is shown; the latest first.
CREATE FUNCTION app.shown_notes(of_hotel uuid, most integer DEFAULT 3)
    RETURNS TABLE (note text, satisfaction_score smallint, stayed_on date, demo boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT o.note, o.satisfaction_score, date_trunc('month', b.check_out)::date, o.demo
        FROM booking_outcomes o JOIN bookings b ON b.id = o.booking_id
        WHERE o.hotel_id = of_hotel AND o.note_shown AND o.withdrawn_at IS NULL
        ORDER BY o.created_at DESC
        LIMIT least(most, 10);
    END;
GRANT EXECUTE ON FUNCTION app.shown_notes(uuid, integer) TO rahhal_app;

SET LOCAL ROLE rahhal_owner;

-- ------------------------------------------------------------------------------------------------ names of the seeds

-- Her persona by her verified stays; NULL when there are none. A turn sees its own person, the house everybody.
CREATE FUNCTION public.calculate_traveler_persona(person uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT p.persona FROM traveler_personas p WHERE p.user_id = person;
    END;

-- Her verified stays in figures. `avg_budget` is what a room a night cost her on average, in US dollars.
CREATE VIEW user_booking_stats WITH (security_invoker = true) AS
    SELECT p.user_id, p.n AS total_bookings, round(p.usd_cents / (100.0 * nullif(p.n, 0)), 2) AS avg_budget,
           round(p.nights::numeric / nullif(p.n, 0), 1) AS avg_nights,
           (SELECT array_agg(DISTINCT h.city_ar ORDER BY h.city_ar) FROM bookings b JOIN hotels h ON h.id = b.hotel_id
            WHERE b.user_id = p.user_id AND b.verified_at IS NOT NULL) AS destinations,
           (SELECT max(b.check_in) FROM bookings b WHERE b.user_id = p.user_id AND b.verified_at IS NOT NULL) AS last_booking_date,
           p.persona, p.reason
    FROM traveler_personas p;

-- How a hotel does with each kind of traveler, and with all of them ('all'): where at least five tell of it.
CREATE MATERIALIZED VIEW hotel_performance_by_persona AS
    SELECT c.hotel_id, h.identifier AS hotel_identifier, c.persona AS user_persona, c.n AS total_bookings, c.avg_satisfaction,
           c.rebooking_rate, c.expectation_exceeded_rate AS exceeded_rate, c.value_score,
           round(c.usd_cents_sum / (100.0 * c.n), 2) AS avg_price, -- US dollars, a room a night
           app.frequent(c.highlight_counts, 5) AS common_highlights, app.frequent(c.pain_point_counts, 5) AS common_pain_points,
           coalesce(m.marks, '{}') AS aspect_marks, h.demo
    FROM social_proof_cache c
    JOIN hotels h ON h.id = c.hotel_id
    LEFT JOIN (
        SELECT a.hotel_id, a.persona, jsonb_object_agg(a.aspect, a.mark) AS marks
        FROM (
            SELECT o.hotel_id, k.persona, r.key AS aspect, round(avg(r.value::numeric), 1) AS mark
            FROM booking_outcomes o
            CROSS JOIN LATERAL (VALUES ('all'), (o.user_persona)) AS k(persona)
            CROSS JOIN LATERAL jsonb_each_text(o.ratings) AS r
            WHERE o.withdrawn_at IS NULL AND o.ratings <> '{}'
            GROUP BY o.hotel_id, k.persona, r.key
            HAVING count(*) >= 5
        ) AS a
        GROUP BY a.hotel_id, a.persona
    ) AS m ON m.hotel_id = c.hotel_id AND m.persona = c.persona
    WHERE c.n >= 5 AND app.stands_alone(c.hotel_id, c.persona);
CREATE UNIQUE INDEX hotel_performance_by_persona_key ON hotel_performance_by_persona (hotel_id, user_persona);

-- Every hotel that at least five tell of, beside what was to be expected of it, and its place in its city by what can be
-- trusted. That it names satisfaction_priors here also tells a restore which of the two views to fill first.
CREATE MATERIALIZED VIEW hotel_social_proof AS
    SELECT p.hotel_id, h.identifier AS hotel_identifier, h.city, p.total_bookings, p.avg_rating, p.smoothed_rating,
           round(e.mean, 2) AS expected_rating, p.rebook_rate, p.exceeded_rate, p.trust_score, h.demo,
           rank() OVER (PARTITION BY h.city ORDER BY p.trust_score DESC NULLS LAST, p.smoothed_rating DESC) AS place_in_city
    FROM app.weighed_proof(ARRAY(SELECT c.hotel_id FROM social_proof_cache c WHERE c.persona = 'all' AND c.n >= 5)) AS p
    JOIN hotels h ON h.id = p.hotel_id
    LEFT JOIN satisfaction_priors e ON e.city = h.city AND e.demo = h.demo;
CREATE UNIQUE INDEX hotel_social_proof_hotel ON hotel_social_proof (hotel_id);
CREATE INDEX hotel_social_proof_city ON hotel_social_proof (city) INCLUDE (hotel_id, smoothed_rating);

GRANT SELECT ON hotel_performance_by_persona, hotel_social_proof TO rahhal_service, rahhal_analytics;

-- The proof of one hotel, by its public identifier or its key, for a persona or for all ('all', NULL). One row for a hotel that exists:
-- where fewer than five tell of it, `enough` is false and nothing else is said. No row for one that does not exist.
CREATE FUNCTION public.get_hotel_social_proof(hotel text, persona text DEFAULT NULL) RETURNS TABLE (
    hotel_id uuid, persona_type text, enough boolean, total_bookings integer, avg_rating numeric, smoothed_rating numeric,
    rebook_yes integer, rebook_answers integer, rebook_rate numeric,
    exceeded_yes integer, exceeded_answers integer, exceeded_rate numeric, trust_score numeric, value_score numeric,
    highlights text[], pain_points text[], demo boolean
) LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    target uuid := (SELECT h.id FROM hotels h WHERE h.identifier = $1);
BEGIN
    IF target IS NULL AND $1 ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        target := $1::uuid;
    END IF;
    RETURN QUERY
    SELECT h.id, coalesce($2, 'all'), p.hotel_id IS NOT NULL, p.total_bookings, p.avg_rating, p.smoothed_rating, p.rebook_yes,
           p.rebook_answers, p.rebook_rate, p.exceeded_yes, p.exceeded_answers, p.exceeded_rate, p.trust_score, p.value_score,
           coalesce(p.highlights, '{}'), coalesce(p.pain_points, '{}'), h.demo
    FROM hotels h
    LEFT JOIN LATERAL app.weighed_proof(ARRAY[h.id], $2) AS p ON p.persona = coalesce($2, 'all')
    WHERE h.id = target;
END
$$;

REVOKE EXECUTE ON FUNCTION public.calculate_traveler_persona(uuid), public.get_hotel_social_proof(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.calculate_traveler_persona(uuid), public.get_hotel_social_proof(text, text)
TO rahhal_app, rahhal_service;
GRANT SELECT ON user_booking_stats TO rahhal_app, rahhal_service;

SET LOCAL ROLE rahhal_service;

-- What searches order hotels by: the smoothed ratings of a city's hotels that at least five tell of. NULL: of none.
CREATE FUNCTION app.city_ratings(of_city bigint) RETURNS TABLE (hotel_id uuid, rating numeric)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT p.hotel_id, p.smoothed_rating FROM hotel_social_proof p WHERE p.city = of_city;
    END;

-- The marks guests gave to aspects of a hotel, {aspect: mean}, where at least five did.
CREATE FUNCTION app.aspect_marks(of_hotel uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT coalesce(
            (SELECT p.aspect_marks FROM hotel_performance_by_persona p WHERE p.hotel_id = of_hotel AND p.user_persona = 'all'), '{}');
    END;

GRANT EXECUTE ON FUNCTION app.city_ratings(bigint), app.aspect_marks(uuid) TO rahhal_owner, rahhal_app;

RESET ROLE;
