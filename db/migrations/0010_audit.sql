-- role: rahhal_owner
-- The audit log: what was done to what matters, in an order that cannot be changed unseen.
--
-- A row's `leaf` is a hash over its own columns and over `digest`, which is the hash of its data and a salt. The data lie
-- apart in audit_payloads and can be erased; the leaf stays valid. A sealer chains the leaves in batches: each batch has a
-- `root` over its leaves and a `head` over itself and the head before. The last head is also kept outside PostgreSQL.

-- ------------------------------------------------------------------------------------------------ tables

CREATE SEQUENCE audit_ids;  -- CACHE 1: the sealer relies on ids being handed out one by one

CREATE TABLE audit_log (
    id           bigint NOT NULL,
    "timestamp"  timestamptz NOT NULL,
    table_name   text NOT NULL,
    operation    text NOT NULL CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE')),
    record_id    uuid,              -- NULL: that table's key is no single uuid; it is in the data
    user_id      uuid,              -- whom the row is about
    actor_id     uuid,              -- whose turn it was
    actor        text NOT NULL,     -- the role that acted
    login        text NOT NULL,     -- the login it came by
    ip_address   inet,              -- of the client of the database, NULL through a socket; a traveler's own is never kept
    user_agent   text NOT NULL,     -- the client's application_name
    xid          xid8 NOT NULL,     -- of the transaction
    digest       bytea NOT NULL,    -- app.audit_digest of the data
    leaf         bytea NOT NULL,    -- app.audit_leaf of all the above
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE INDEX audit_log_user ON audit_log (user_id, "timestamp");
CREATE INDEX audit_log_erasures ON audit_log (record_id) WHERE table_name = 'audit_payloads';

-- What an INSERT brought, what a DELETE took, and of an UPDATE the columns that changed, before and after.
-- json, not jsonb: it keeps the very text that was hashed.
CREATE TABLE audit_payloads (
    id           bigint NOT NULL,
    "timestamp"  timestamptz NOT NULL,
    salt         bytea NOT NULL,
    old_data     json,
    new_data     json,
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");

-- The rows with ids in (after_id, upto_id], all of one year. `members` is id and leaf of each, 40 bytes a row, in order of
-- ids: it is what `root` is the hash of, and tells which row is missing or new where the root no longer fits.
CREATE TABLE audit_batches (
    number        bigint PRIMARY KEY CHECK (number > 0),
    epoch         integer NOT NULL,  -- one more after each restore into another cluster
    year          date NOT NULL,
    after_id      bigint NOT NULL,
    upto_id       bigint NOT NULL UNIQUE CHECK (upto_id > after_id),
    row_count     bigint NOT NULL CHECK (row_count > 0),
    sealed_at     timestamptz NOT NULL,
    members       bytea NOT NULL CHECK (octet_length(members) = 40 * row_count),
    root          bytea NOT NULL CHECK (octet_length(root) = 32),
    previous_head bytea NOT NULL CHECK (octet_length(previous_head) = 32),
    head          bytea NOT NULL CHECK (octet_length(head) = 32)
);
ALTER TABLE audit_batches ALTER COLUMN members SET STORAGE EXTERNAL;  -- hashes do not compress

-- Years that have left. The batches up to upto_batch left with them; the chain goes on from `head`.
CREATE TABLE audit_retired (
    year       date PRIMARY KEY,
    row_count  bigint NOT NULL,
    upto_batch bigint NOT NULL,
    head       bytea NOT NULL CHECK (octet_length(head) = 32),
    -- The rest of what `head` is the hash of: batch upto_batch without its members. It proves of which year that batch was.
    -- NULL while no batch has left.
    epoch         integer,
    batch_year    date,
    after_id      bigint,
    upto_id       bigint,
    batch_rows    bigint,
    sealed_at     timestamptz,
    root          bytea,
    previous_head bytea,
    retired_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (num_nulls(epoch, batch_year, after_id, upto_id, batch_rows, sealed_at, root, previous_head)
           = CASE WHEN upto_batch = 0 THEN 8 ELSE 0 END)
);

-- Where the sealer stands: one row. Ids up to `ripe_id` were handed out to transactions older than `ripe_xid`.
CREATE TABLE audit_marks (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch     integer NOT NULL DEFAULT 1,
    sealed_id bigint NOT NULL DEFAULT 0,
    batch     bigint NOT NULL DEFAULT 0,
    head      bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(head) = 32),
    ripe_id   bigint NOT NULL DEFAULT 0,
    ripe_xid  xid8 NOT NULL DEFAULT '0'
);
INSERT INTO audit_marks DEFAULT VALUES;

SELECT app.isolate('audit_log', NULL);
SELECT app.isolate('audit_payloads', NULL);
SELECT app.isolate('audit_batches', NULL);
SELECT app.isolate('audit_retired', NULL);
SELECT app.isolate('audit_marks', NULL);

GRANT USAGE, SELECT ON SEQUENCE audit_ids TO rahhal_service;
GRANT SELECT, INSERT ON audit_log, audit_batches TO rahhal_service;
GRANT SELECT, INSERT, DELETE ON audit_payloads TO rahhal_service;
GRANT SELECT ON audit_retired TO rahhal_service;
GRANT SELECT, UPDATE ON audit_marks TO rahhal_service;

-- ------------------------------------------------------------------------------------------------ append only

SET LOCAL ROLE rahhal_service;

-- Refuses everybody, the owner included. Two things may go: data on request (by the service, which records it), and the
-- batches of years that have left.
CREATE FUNCTION app.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' THEN
        IF TG_ARGV[0] = 'audit_payloads' AND current_user = 'rahhal_service' THEN
            RETURN OLD;
        ELSIF TG_ARGV[0] = 'audit_batches' THEN
            IF OLD.number <= (SELECT max(r.upto_batch) FROM public.audit_retired r) THEN
                RETURN OLD;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_ARGV[0] USING ERRCODE = 'insufficient_privilege';
END
$$;
GRANT EXECUTE ON FUNCTION app.refuse_audit_change() TO rahhal_owner;

SET LOCAL ROLE rahhal_owner;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION app.refuse_audit_change('audit_log');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_payloads
    FOR EACH ROW EXECUTE FUNCTION app.refuse_audit_change('audit_payloads');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_batches
    FOR EACH ROW EXECUTE FUNCTION app.refuse_audit_change('audit_batches');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_retired
    FOR EACH ROW EXECUTE FUNCTION app.refuse_audit_change('audit_retired');
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_audit_change('audit_log');
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit_payloads
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_audit_change('audit_payloads');
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit_batches
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_audit_change('audit_batches');
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit_retired
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_audit_change('audit_retired');

-- ------------------------------------------------------------------------------------------------ years

-- One partition of each table for that year (UTC), as LIKE + CHECK + ATTACH; rows that fell into DEFAULT move along.
-- Returns whether the year is new.
CREATE FUNCTION public.create_audit_year(year date) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS $$
DECLARE
    first CONSTANT date := date_trunc('year', year);
    after CONSTANT date := first + interval '1 year';
    parent name;
    partition name;
BEGIN
    IF to_regclass(format('public.audit_log_%s', to_char(first, 'YYYY'))) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['audit_log', 'audit_payloads'] LOOP
        partition := parent || to_char(first, '_YYYY');
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)',
                       partition, parent);
        EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT in_year CHECK ("timestamp" >= %L AND "timestamp" < %L)',
                       partition, first::timestamptz, after::timestamptz);
        IF to_regclass(format('public.%I', parent || '_default')) IS NOT NULL THEN
            EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER append_only', parent || '_default');
            EXECUTE format('WITH gone AS (DELETE FROM public.%I WHERE "timestamp" >= $1 AND "timestamp" < $2 RETURNING *) '
                           'INSERT INTO public.%I SELECT * FROM gone', parent || '_default', partition)
                USING first::timestamptz, after::timestamptz;
            EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER append_only', parent || '_default');
        END IF;
        PERFORM app.isolate(format('public.%I', partition)::regclass, NULL);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT '
                       'EXECUTE FUNCTION app.refuse_audit_change(%L)', partition, parent);
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, partition, first::timestamptz, after::timestamptz);
        EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT in_year', partition);
    END LOOP;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION public.create_audit_year(date) FROM PUBLIC;

SELECT public.create_audit_year((now() + make_interval(years => n))::date) FROM generate_series(0, 1) AS n;

CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
CREATE TABLE audit_payloads_default PARTITION OF audit_payloads DEFAULT;
SELECT app.isolate('audit_log_default', NULL);
SELECT app.isolate('audit_payloads_default', NULL);
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit_log_default
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_audit_change('audit_log');
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit_payloads_default
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_audit_change('audit_payloads');

-- ------------------------------------------------------------------------------------------------ hashes

SET LOCAL ROLE rahhal_service;

-- SHA-256 over salt, old data, new data; the lengths (bytes, and characters, -1 for NULL: 4 bytes each, big-endian) before the
-- first two say where each ends, so that nothing can be moved from one into another.
CREATE FUNCTION app.audit_digest(salt bytea, old_data json, new_data json) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(int4send(octet_length(salt)) || salt || int4send(coalesce(length(old_data::text), -1))
                  || convert_to(coalesce(old_data::text, '') || coalesce(new_data::text, ''), 'UTF8'));

-- SHA-256 over the row: numbers and times as PostgreSQL sends them (8 bytes, big-endian), the digest, the three ids as 16
-- bytes (one zero byte where NULL), then the texts between unit separators (the free ones with their lengths).
CREATE FUNCTION app.audit_leaf(
    id bigint, "timestamp" timestamptz, table_name text, operation text, record_id uuid, user_id uuid, actor_id uuid,
    actor text, login text, ip_address inet, user_agent text, xid xid8, digest bytea
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(
        int8send(id) || timestamptz_send("timestamp") || xid8send(xid) || digest
        || coalesce(uuid_send(record_id), '\x00') || coalesce(uuid_send(user_id), '\x00')
        || coalesce(uuid_send(actor_id), '\x00')
        || convert_to(concat_ws(E'\x1f', operation, num_nulls(record_id, user_id, actor_id), coalesce(host(ip_address), '-'),
                                length(table_name), table_name, length(actor), actor, length(login), login, user_agent), 'UTF8'));

-- SHA-256 over the head before and the batch.
CREATE FUNCTION app.audit_head(
    previous_head bytea, number bigint, epoch integer, year date, after_id bigint, upto_id bigint, row_count bigint,
    sealed_at timestamptz, root bytea
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256(
        previous_head || int8send(number) || int4send(epoch) || date_send(year) || int8send(after_id) || int8send(upto_id)
        || int8send(row_count) || timestamptz_send(sealed_at) || root);

-- ------------------------------------------------------------------------------------------------ writing

CREATE FUNCTION app.write_audit(
    table_name text, operation text, record_id uuid, user_id uuid, old_data json, new_data json
) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    moment CONSTANT timestamptz := clock_timestamp();
    xid CONSTANT xid8 := pg_current_xact_id();  -- before the id: the sealer relies on it
    id CONSTANT bigint := nextval('public.audit_ids');
    actor_id CONSTANT uuid := app.user_id();
    -- SECURITY DEFINER functions change current_user, not the role that was set.
    actor CONSTANT text := coalesce(nullif(current_setting('role'), 'none'), session_user);
    login CONSTANT text := session_user;
    address CONSTANT inet := inet_client_addr();
    agent CONSTANT text := current_setting('application_name');
    salt CONSTANT bytea := uuid_send(gen_random_uuid());
    digest CONSTANT bytea := app.audit_digest(salt, old_data, new_data);
BEGIN
    INSERT INTO public.audit_log
    VALUES (id, moment, table_name, operation, record_id, user_id, actor_id, actor, login, address, agent, xid, digest,
            app.audit_leaf(id, moment, table_name, operation, record_id, user_id, actor_id, actor, login, address, agent, xid,
                           digest));
    INSERT INTO public.audit_payloads VALUES (id, moment, salt, old_data, new_data);
END
$$;

-- The trigger, for any table. Arguments: the column of the record's uuid ('' where there is none), the column of the person
-- it is about (''), then the columns to keep (none: all). An UPDATE that changes nothing, or only updated_at, is no news.
CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    before CONSTANT jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after CONSTANT jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    subject CONSTANT jsonb := coalesce(after, before);
    kept CONSTANT text[] := TG_ARGV[2:];
    old_data json;
    new_data json;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT json_object_agg(b.key, b.value), json_object_agg(b.key, after -> b.key) INTO old_data, new_data
        FROM jsonb_each(before) AS b
        WHERE b.value IS DISTINCT FROM after -> b.key AND b.key <> 'updated_at'
          AND (kept = '{}' OR b.key = ANY (kept));
        IF old_data IS NULL THEN
            RETURN NULL;
        END IF;
    ELSIF kept = '{}' THEN
        -- not by way of jsonb: nothing has to be parsed
        IF TG_OP = 'INSERT' THEN
            new_data := row_to_json(NEW);
        ELSE
            old_data := row_to_json(OLD);
        END IF;
    ELSE
        SELECT json_object_agg(s.key, s.value) INTO new_data FROM jsonb_each(subject) AS s WHERE s.key = ANY (kept);
        IF TG_OP = 'DELETE' THEN
            old_data := new_data;
            new_data := NULL;
        END IF;
    END IF;
    PERFORM app.write_audit(
        TG_TABLE_NAME, TG_OP, (subject ->> nullif(TG_ARGV[0], ''))::uuid,
        coalesce(after ->> nullif(TG_ARGV[1], ''), before ->> nullif(TG_ARGV[1], ''))::uuid, old_data, new_data);
    RETURN NULL;
END
$$;

-- Have a table audited. `person` is the column of whom a row is about, `kept` the columns to keep.
CREATE FUNCTION app.audit(target regclass, person name DEFAULT 'user_id', kept name[] DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    record name := (
        SELECT a.attname FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = target AND i.indisprimary AND i.indnkeyatts = 1 AND a.atttypid = 'uuid'::regtype);
    arguments text;
BEGIN
    SELECT string_agg(quote_literal(given), ', ') INTO arguments
    FROM unnest(ARRAY[coalesce(record, ''), coalesce(person, '')] || kept) AS given;
    EXECUTE format('CREATE TRIGGER audited AFTER INSERT OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION app.audit(%s)',
                   target, arguments);
    EXECUTE format('CREATE TRIGGER audited_change AFTER UPDATE ON %s FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) '
                   'EXECUTE FUNCTION app.audit(%s)', target, arguments);
END
$$;

-- Erase what the log keeps of a person, also under ids that became hers: the data go, the log and its chain stay, and the
-- erasure is itself on record. Call it last: what is changed in her rows afterwards is audited anew. Returns how many rows
-- lost their data.
CREATE FUNCTION app.erase_audit_payloads(person uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    known_as uuid;
    lost bigint;
    erased bigint := 0;
BEGIN
    FOR known_as IN SELECT person UNION SELECT u.id FROM users u WHERE u.merged_into = person LOOP
        DELETE FROM audit_payloads p USING audit_log l
        WHERE l.user_id = known_as AND p.id = l.id AND p."timestamp" = l."timestamp";
        GET DIAGNOSTICS lost = ROW_COUNT;
        IF lost > 0 THEN
            PERFORM app.write_audit('audit_payloads', 'DELETE', known_as, NULL, json_build_object('rows', lost), NULL);
        END IF;
        erased := erased + lost;
    END LOOP;
    RETURN erased;
END
$$;

-- When two logins turn out to be one person (see 0008), what was written stays under the id it was written under.
CREATE FUNCTION app.merge_audit_log(gone uuid, kept uuid) RETURNS void LANGUAGE sql SET search_path = ''
    BEGIN ATOMIC
        SELECT;
    END;

GRANT EXECUTE ON FUNCTION app.audit(), app.audit(regclass, name, name[]), app.erase_audit_payloads(uuid) TO rahhal_owner;

RESET ROLE;
