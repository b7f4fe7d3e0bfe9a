-- role: rahhal_owner
-- The behavior log for good: what belongs to no turn, months that come and go, and where the old ones are kept.

-- ------------------------------------------------------------------------------------------------ what belongs to no turn

-- An opened page, an opened link, a question to the public API: of somebody we do not know, or who has not consented to
-- analysis, they are counted without her. Everything a person does in a conversation has a person.
ALTER TABLE user_behavior_log
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN user_id DROP NOT NULL, -- nobody reads a row's person without having asked for that person's rows
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT user_behavior_log_action_type_check,
    ADD CONSTRAINT user_behavior_log_action_type_check CHECK (action_type IN (
        'بدء_بحث', 'عرض_فندق', 'مقارنة_فنادق', 'حفظ_للمفضلة', 'قراءة_تقييمات', 'تغيير_ميزانية', 'تغيير_تواريخ',
        'إكمال_حجز', 'إلغاء_حجز', 'مشاركة_نتائج',
        'بدء_محادثة', 'موافقة', 'تغيير_لغة', 'تغيير_وجهة', 'تغيير_نزلاء', 'عرض_نتائج', 'ترتيب_نتائج', 'بدء_حجز',
        'عرض_رحلات', 'طلب_مساعدة', 'تحويل_لموظف', 'إيقاف', 'دفع', 'إحالة', 'نتيجة_إقامة', 'عرض_توقع',
        'عرض_دليل_اجتماعي',
        'عرض_صفحة', 'فتح_رابط', 'طلب_دليل_اجتماعي'
    )) NOT VALID,
    ADD CONSTRAINT user_behavior_log_somebody CHECK (
        user_id IS NOT NULL OR action_type IN ('عرض_صفحة', 'فتح_رابط', 'طلب_دليل_اجتماعي')
    ) NOT VALID,
    ADD CONSTRAINT user_behavior_log_bounded CHECK (
        length(device_type) <= 64 AND length(referrer_source) <= 255 AND length(user_agent) <= 255
        AND pg_column_size(action_data) <= 8192
    ) NOT VALID;

-- The rollup of one day reads that day's pages. Appended rows lie in the order of time, so a few bytes per 32 pages will do.
-- (CONCURRENTLY does not exist for partitioned tables; building it is one pass over what is there.)
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX user_behavior_log_day ON user_behavior_log USING brin ("timestamp")
    WITH (pages_per_range = 32, autosummarize = on);

-- ------------------------------------------------------------------------------------------------ months

CREATE FUNCTION public.log_month_name(month date) RETURNS name
    LANGUAGE sql IMMUTABLE SET search_path = ''
    RETURN ('user_behavior_log_' || to_char(month, 'YYYY_MM'))::name;

-- A month that is not yet part of the log: an empty table of the log's shape that takes this month's rows only.
CREATE FUNCTION public.make_log_month(month date) RETURNS void
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS $$
DECLARE
    first date := date_trunc('month', month);
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE public.user_behavior_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
                   'INCLUDING INDEXES)', public.log_month_name(first));
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT in_month CHECK ("timestamp" >= %L AND "timestamp" < %L)',
                   public.log_month_name(first), first::timestamptz, (first + interval '1 month')::timestamptz);
END
$$;

-- That month becomes part of the log, with the rows that fell into DEFAULT meanwhile. ATTACH finds the CHECK and reads nothing;
-- CREATE … PARTITION OF would wait for readers and block every insert behind it.
CREATE FUNCTION public.attach_log_month(month date) RETURNS void
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS $$
DECLARE
    first date := date_trunc('month', month);
    begins timestamptz := first;
    ends timestamptz := first + interval '1 month';
    partition name := public.log_month_name(first);
BEGIN
    EXECUTE format('WITH gone AS (DELETE FROM public.user_behavior_log_default WHERE "timestamp" >= $1 AND "timestamp" < $2 '
                   'RETURNING *) INSERT INTO public.%I SELECT * FROM gone', partition) USING begins, ends;
    PERFORM app.isolate(format('public.%I', partition)::regclass, NULL);
    EXECUTE format('ALTER TABLE public.user_behavior_log ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   partition, begins, ends);
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT in_month', partition);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO rahhal_service', partition);
END
$$;

-- Returns whether the month is new.
CREATE OR REPLACE FUNCTION public.create_monthly_partition(month date) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF to_regclass(format('public.%I', public.log_month_name(month))) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM public.make_log_month(month);
    PERFORM public.attach_log_month(month);
    RETURN true;
END
$$;

-- ------------------------------------------------------------------------------------------------ archives

-- A month that left the database, and the file that holds it.
CREATE TABLE log_archives (
    month       date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    file        text NOT NULL CHECK (length(file) BETWEEN 1 AND 255),
    sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes       bigint NOT NULL CHECK (bytes > 0),
    rows        bigint NOT NULL CHECK (rows >= 0),
    archived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    restored_at timestamptz                       -- back online since; it is archived again some weeks later
);
SELECT app.isolate('log_archives', NULL);
GRANT SELECT ON log_archives TO rahhal_service;

-- A month whose rows are in a verified file leaves the log. The file counts only if the month still is what was written:
-- as many rows with the same sum of hashes, looked at under a lock that keeps writers of this month out.
-- `gone`, `changed`, `busy` (somebody holds a lock: try again later), or `absent`.
CREATE FUNCTION public.retire_log_month(month date, expected_rows bigint, expected_sum numeric) RETURNS text
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    partition name := public.log_month_name(month);
    found_rows bigint;
    found_sum numeric;
BEGIN
    IF to_regclass(format('public.%I', partition)) IS NULL THEN
        RETURN 'absent';
    END IF;
    EXECUTE format('LOCK TABLE public.%I IN SHARE MODE', partition);
    EXECUTE format('SELECT count(*), coalesce(sum(hash_record_extended(m, 0)), 0) FROM public.%I AS m', partition)
        INTO found_rows, found_sum;
    IF found_rows <> expected_rows OR found_sum <> expected_sum THEN
        RETURN 'changed';
    END IF;
    EXECUTE format('ALTER TABLE public.user_behavior_log DETACH PARTITION public.%I', partition);
    EXECUTE format('DROP TABLE public.%I', partition);
    RETURN 'gone';
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN 'busy';
END
$$;

REVOKE EXECUTE ON FUNCTION
    public.log_month_name(date), public.make_log_month(date), public.attach_log_month(date),
    public.retire_log_month(date, bigint, numeric)
FROM PUBLIC;

-- ------------------------------------------------------------------------------------------------ the group commit

SET LOCAL ROLE rahhal_service;

-- The rows that events of no turn become; the arrays run in parallel. (Its body is inlined into the INSERT below.)
-- people: whose, where it is known. visitors: the hash of the web chat's cookie, where only that is known. Without consent
-- to analysis the row names nobody. data: JSON as text.
CREATE FUNCTION app.behavior_rows(
    ids uuid[], moments timestamptz[], actions text[], data text[], people uuid[], visitors bytea[], devices text[],
    referrers text[]
) RETURNS TABLE (
    id uuid, user_id uuid, action_type text, action_data jsonb, device_type text, referrer_source text, moment timestamptz,
    local_time timestamp
)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT e.id, u.id, e.action, e.data::jsonb, e.device, e.referrer, e.moment,
               e.moment AT TIME ZONE coalesce(u.timezone, 'UTC')
        FROM unnest(ids, moments, actions, data, people, visitors, devices, referrers)
            AS e(id, moment, action, data, person, visitor, device, referrer)
        LEFT JOIN public.users u ON u.consented AND u.id = coalesce(e.person, (
            SELECT d.user_id
            FROM public.webchat_visitors v
            JOIN public.user_identities d ON d.channel = 'webchat' AND d.external_id = v.visitor::text
            WHERE v.token_hash = e.visitor));
    END;

-- Many events of no turn in one statement. An id that is there already is left alone, so that a retry after a lost connection
-- doubles nothing; that is rare, and ON CONFLICT costs a sixth of the rate, so it is asked for only then.
-- Returns how many were new.
CREATE FUNCTION app.log_behavior(
    ids uuid[], moments timestamptz[], actions text[], data text[], people uuid[], visitors bytea[], devices text[],
    referrers text[]
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    added integer;
BEGIN
    BEGIN
        INSERT INTO user_behavior_log
            (id, user_id, action_type, action_data, device_type, referrer_source, "timestamp", hour_of_day, day_of_week)
        SELECT r.id, r.user_id, r.action_type, r.action_data, r.device_type, r.referrer_source, r.moment,
               extract(hour FROM r.local_time), extract(isodow FROM r.local_time)
        FROM app.behavior_rows(ids, moments, actions, data, people, visitors, devices, referrers) AS r;
    EXCEPTION WHEN unique_violation THEN
        INSERT INTO user_behavior_log
            (id, user_id, action_type, action_data, device_type, referrer_source, "timestamp", hour_of_day, day_of_week)
        SELECT r.id, r.user_id, r.action_type, r.action_data, r.device_type, r.referrer_source, r.moment,
               extract(hour FROM r.local_time), extract(isodow FROM r.local_time)
        FROM app.behavior_rows(ids, moments, actions, data, people, visitors, devices, referrers) AS r
        ON CONFLICT DO NOTHING;
    END;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END
$$;

-- Whether the log is in order: rows that found no month (counted to 10,000), the last month made, the months in files.
CREATE FUNCTION app.log_health() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT jsonb_build_object(
            'in_default', (SELECT count(*) FROM (SELECT FROM user_behavior_log_default LIMIT 10000) AS lost),
            'last_month', (
                SELECT max(to_date(right(c.relname::text, 7), 'YYYY_MM'))
                FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'user_behavior_log'::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'),
            'archived', (SELECT count(*) FROM log_archives WHERE restored_at IS NULL));
    END;

GRANT EXECUTE ON FUNCTION
    app.log_behavior(uuid[], timestamptz[], text[], text[], uuid[], bytea[], text[], text[]), app.log_health()
TO rahhal_worker;
