-- role: rahhal_owner
-- What a day brought, one row a day, and what there is to tell about one person. A day is a day of UTC, as the log's months are,
-- so that a row means the same wherever it is read; demo travelers are left out everywhere.

ALTER TABLE user_behavior_log VALIDATE CONSTRAINT user_behavior_log_action_type_check;
ALTER TABLE user_behavior_log VALIDATE CONSTRAINT user_behavior_log_somebody;
ALTER TABLE user_behavior_log VALIDATE CONSTRAINT user_behavior_log_bounded;

-- Rates are from 0 to 1, and NULL on a day on which there was nothing to measure. The seeds' emotional_detection_accuracy is not
-- here: nobody tells us what a traveler felt, so no day can measure it; the labelled corpus does (make eval).
CREATE TABLE daily_metrics (
    day                    date PRIMARY KEY,
    daily_active_users     integer NOT NULL CHECK (daily_active_users >= 0),    -- people with a row in the log
    new_users              integer NOT NULL CHECK (new_users >= 0),             -- who came that day, whatever they did
    returning_users        integer NOT NULL CHECK (returning_users BETWEEN 0 AND daily_active_users), -- who had come before
    page_views             integer NOT NULL CHECK (page_views >= 0),            -- of the web chat, known visitor or not
    total_searches         integer NOT NULL CHECK (total_searches >= 0),
    total_bookings         integer NOT NULL CHECK (total_bookings >= 0),
    total_cancellations    integer NOT NULL CHECK (total_cancellations >= 0),
    -- Of the people who searched, how many booked the same day.
    conversion_rate        numeric CHECK (conversion_rate BETWEEN 0 AND 1),
    predictions_generated  integer NOT NULL CHECK (predictions_generated >= 0), -- next trips
    predictions_converted  integer NOT NULL CHECK (predictions_converted >= 0), -- that became a booking that day
    -- Of predicted outcomes that guests answered that day: the mean of 1 − |predicted − actual| / 9.
    prediction_accuracy    numeric CHECK (prediction_accuracy BETWEEN 0 AND 1),
    social_proof_shown     integer NOT NULL CHECK (social_proof_shown >= 0),
    -- The share who booked among people who saw results with proof, over the share among those who saw none, less 1. It compares
    -- groups that chose themselves: a hint, no proof of a cause. NULL below 20 people in a group.
    social_proof_conversion_lift numeric
        CHECK (social_proof_conversion_lift >= -1 AND social_proof_conversion_lift < 'Infinity'),
    total_shares           integer NOT NULL CHECK (total_shares >= 0),
    link_opens             integer NOT NULL CHECK (link_opens >= 0),            -- visitors, of shared and invitation links
    referral_conversions   integer NOT NULL CHECK (referral_conversions >= 0),  -- first bookings of people who were invited
    -- Those, for each active person: the day's part of calculate_k_factor().
    viral_coefficient      numeric CHECK (viral_coefficient >= 0 AND viral_coefficient < 'Infinity'),
    built_at               timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON daily_metrics TO rahhal_service;
GRANT SELECT ON daily_metrics TO rahhal_analytics;

-- ------------------------------------------------------------------------------------------------ one person

-- What we can tell about somebody, for herself and for the house: it reads with the rights of who asks, so that row level
-- security shows a turn its own person and NULL for anybody else.
CREATE FUNCTION public.get_user_analytics(person uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT jsonb_build_object(
            'user_id', u.id,
            'since', u.created_at,
            'demo', u.demo,
            'bookings', (
                SELECT jsonb_build_object(
                    'total', count(*), 'ahead', count(*) FILTER (WHERE b.status = 'confirmed'),
                    'stayed', count(*) FILTER (WHERE b.status = 'completed'),
                    'cancelled', count(*) FILTER (WHERE b.status = 'cancelled'),
                    'nights_stayed', coalesce(sum(b.check_out - b.check_in) FILTER (WHERE b.status = 'completed'), 0))
                FROM bookings b WHERE b.user_id = u.id AND b.status NOT IN ('held', 'expired')),
            'spend', (
                SELECT coalesce(jsonb_agg(jsonb_build_object('currency', s.currency, 'stayed_minor', s.stayed,
                                                             'ahead_minor', s.ahead) ORDER BY s.currency), '[]')
                FROM (
                    SELECT b.currency, coalesce(sum(b.price_minor) FILTER (WHERE b.status = 'completed'), 0) AS stayed,
                           coalesce(sum(b.price_minor) FILTER (WHERE b.status = 'confirmed'), 0) AS ahead
                    FROM bookings b WHERE b.user_id = u.id AND b.status IN ('completed', 'confirmed') GROUP BY b.currency
                ) AS s),
            'persona', (
                SELECT jsonb_build_object('name', p.persona, 'because', p.reason, 'stays', p.n,
                                          'usd_cents_per_night', p.usd_cents_per_night)
                FROM traveler_personas p WHERE p.user_id = u.id),
            'favourite_places', (
                SELECT coalesce(jsonb_agg(jsonb_build_object('city', f.city, 'name', f.name, 'trips', f.trips, 'nights', f.nights)
                                          ORDER BY f.nights DESC, f.trips DESC, f.city), '[]')
                FROM (
                    SELECT t.city, min(t.destination) AS name, count(*) AS trips, sum(t.nights) AS nights
                    FROM trips t WHERE t.user_id = u.id AND t.booking_status IN ('confirmed', 'completed')
                    GROUP BY t.city ORDER BY sum(t.nights) DESC, count(*) DESC, t.city LIMIT 3
                ) AS f),
            'referrals', (
                SELECT jsonb_build_object(
                    'joined', count(*) FILTER (WHERE r.joined_at IS NOT NULL), 'booked', count(r.booked_at),
                    'rewards', (
                        SELECT coalesce(jsonb_agg(jsonb_build_object('currency', w.currency, 'granted_minor', w.granted)
                                                  ORDER BY w.currency), '[]')
                        FROM (
                            SELECT g.currency, sum(g.amount) AS granted FROM rewards g
                            WHERE g.user_id = u.id AND g.status = 'granted' GROUP BY g.currency
                        ) AS w))
                FROM referrals r WHERE r.referrer_user_id = u.id AND r.status <> 'void'),
            'last_30_days', (
                SELECT coalesce(jsonb_object_agg(a.action_type, a.n), '{}')
                FROM (
                    SELECT l.action_type, count(*) AS n FROM user_behavior_log l
                    WHERE l.user_id = u.id AND l."timestamp" >= now() - interval '30 days' GROUP BY l.action_type
                ) AS a))
        FROM users u WHERE u.id = person;
    END;
REVOKE EXECUTE ON FUNCTION public.get_user_analytics(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.get_user_analytics(uuid) TO rahhal_service, rahhal_app;

-- ------------------------------------------------------------------------------------------------ days

SET LOCAL ROLE rahhal_service;

-- Count one day anew. One pass over that day's part of the log; the other tables are small beside it.
CREATE FUNCTION app.build_day(wanted date, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    begins CONSTANT timestamptz := wanted::timestamp AT TIME ZONE 'UTC';
    ends CONSTANT timestamptz := (wanted + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    INSERT INTO daily_metrics AS m (
        day, daily_active_users, new_users, returning_users, page_views, total_searches, total_bookings, total_cancellations,
        conversion_rate, predictions_generated, predictions_converted, prediction_accuracy, social_proof_shown,
        social_proof_conversion_lift, total_shares, link_opens, referral_conversions, viral_coefficient, built_at)
    WITH acts AS (
        SELECT l.user_id,
               count(*) FILTER (WHERE l.action_type = 'عرض_صفحة') AS views,
               count(*) FILTER (WHERE l.action_type = 'بدء_بحث') AS searches,
               count(*) FILTER (WHERE l.action_type = 'إكمال_حجز') AS bookings,
               count(*) FILTER (WHERE l.action_type = 'إلغاء_حجز') AS cancellations,
               count(*) FILTER (WHERE l.action_type = 'عرض_نتائج') AS results,
               count(*) FILTER (WHERE l.action_type = 'عرض_دليل_اجتماعي') AS proofs
        FROM user_behavior_log l WHERE l."timestamp" >= begins AND l."timestamp" < ends
        GROUP BY l.user_id
    ), people AS (
        SELECT a.*, u.created_at < begins AS known FROM acts a JOIN users u ON u.id = a.user_id WHERE NOT u.demo
    ), log AS (
        SELECT count(*) AS active, count(*) FILTER (WHERE known) AS known, coalesce(sum(views), 0) AS views,
               coalesce(sum(searches), 0) AS searches, coalesce(sum(bookings), 0) AS bookings,
               coalesce(sum(cancellations), 0) AS cancellations, coalesce(sum(proofs), 0) AS proofs,
               count(*) FILTER (WHERE searches > 0) AS searchers,
               count(*) FILTER (WHERE searches > 0 AND bookings > 0) AS converted,
               count(*) FILTER (WHERE results > 0 AND proofs > 0) AS with_proof,
               count(*) FILTER (WHERE results > 0 AND proofs > 0 AND bookings > 0) AS with_proof_booked,
               count(*) FILTER (WHERE results > 0 AND proofs = 0) AS without_proof,
               count(*) FILTER (WHERE results > 0 AND proofs = 0 AND bookings > 0) AS without_proof_booked
        FROM people
    ), invited AS (
        SELECT count(*) AS booked
        FROM referrals r LEFT JOIN users u ON u.id = r.referred_user_id
        WHERE r.booked_at >= begins AND r.booked_at < ends AND r.status <> 'void' AND u.demo IS NOT TRUE
    )
    SELECT wanted, log.active,
           (SELECT count(*) FROM users u WHERE u.created_at >= begins AND u.created_at < ends AND NOT u.demo),
           log.known,
           log.views + coalesce((SELECT a.views FROM acts a WHERE a.user_id IS NULL), 0),
           log.searches, log.bookings, log.cancellations,
           round(log.converted::numeric / nullif(log.searchers, 0), 4),
           (SELECT count(*) FROM trip_predictions p JOIN users u ON u.id = p.user_id
            WHERE p.created_at >= begins AND p.created_at < ends AND NOT p.demo AND NOT u.demo),
           (SELECT count(*) FROM trip_predictions p JOIN users u ON u.id = p.user_id
            WHERE p.converted_at >= begins AND p.converted_at < ends AND NOT p.demo AND NOT u.demo),
           (SELECT round(avg(o.prediction_accuracy), 4) FROM outcome_predictions o JOIN users u ON u.id = o.user_id
            WHERE o.actual_at >= begins AND o.actual_at < ends AND NOT o.demo AND NOT u.demo),
           log.proofs,
           CASE WHEN log.with_proof >= 20 AND log.without_proof >= 20 AND log.without_proof_booked > 0 THEN round(
               (log.with_proof_booked::numeric / log.with_proof)
               / (log.without_proof_booked::numeric / log.without_proof) - 1, 4) END,
           (SELECT count(*) FROM shared_content s LEFT JOIN users u ON u.id = s.user_id
            WHERE s.created_at >= begins AND s.created_at < ends AND u.demo IS NOT TRUE),
           (SELECT count(*) FROM link_clicks c WHERE c.at >= begins AND c.at < ends),
           invited.booked, round(invited.booked::numeric / nullif(log.active, 0), 4), moment
    FROM log, invited
    ON CONFLICT (day) DO UPDATE SET
        daily_active_users = excluded.daily_active_users, new_users = excluded.new_users,
        returning_users = excluded.returning_users, page_views = excluded.page_views, total_searches = excluded.total_searches,
        total_bookings = excluded.total_bookings, total_cancellations = excluded.total_cancellations,
        conversion_rate = excluded.conversion_rate, predictions_generated = excluded.predictions_generated,
        predictions_converted = excluded.predictions_converted, prediction_accuracy = excluded.prediction_accuracy,
        social_proof_shown = excluded.social_proof_shown,
        social_proof_conversion_lift = excluded.social_proof_conversion_lift, total_shares = excluded.total_shares,
        link_opens = excluded.link_opens, referral_conversions = excluded.referral_conversions,
        viral_coefficient = excluded.viral_coefficient, built_at = excluded.built_at
    WHERE m.built_at <= excluded.built_at;
END
$$;

-- Build every day that is not settled yet: today, and the days before it, `back` at most, that were not counted two hours after
-- their end or later. Returns how many.
CREATE FUNCTION app.build_metrics(moment timestamptz, back integer DEFAULT 31) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    today CONSTANT date := (moment AT TIME ZONE 'UTC')::date;
    wanted date;
    built integer := 0;
BEGIN
    FOR wanted IN
        SELECT d.day
        FROM (SELECT today - n AS day FROM generate_series(0, back) AS n) AS d
        LEFT JOIN daily_metrics m ON m.day = d.day
        WHERE d.day >= (SELECT (min(u.created_at) AT TIME ZONE 'UTC')::date FROM users u WHERE NOT u.demo)
          AND (m.day IS NULL OR m.built_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC' + interval '2 hours')
        ORDER BY d.day
    LOOP
        PERFORM app.build_day(wanted, moment);
        built := built + 1;
    END LOOP;
    RETURN built;
END
$$;

GRANT EXECUTE ON FUNCTION app.build_metrics(timestamptz, integer) TO rahhal_worker;
