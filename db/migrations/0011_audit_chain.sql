-- role: rahhal_owner
-- The audit log's chain: sealing, finding what was tampered with, letting old years go; and the first tables audited.

SET LOCAL ROLE rahhal_service;

-- ------------------------------------------------------------------------------------------------ sealing

-- Chain what can no longer change. Returns how many batches were made.
--
-- Ids are handed out before their rows can be seen, so a batch may only reach as far as no transaction still holds an id.
-- Each run leaves a mark: the last id handed out *before* the run has a transaction id of its own. Whoever got such an id has
-- an older transaction; once the oldest one running is younger than the mark, every id up to it is final. So a later run
-- seals up to the mark of an earlier one, and gaps (rolled back transactions) are nothing to wait for.
--
-- A mark that is not from the past comes from a cluster this database was restored from: a new epoch begins with a new mark.
CREATE FUNCTION app.seal_audit() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    batch_size CONSTANT integer := 10000;
    handed_out bigint;
    mark audit_marks;
    piece record;
    made integer := 0;
    after bigint;
    upto bigint;
    moment timestamptz;
    hash bytea;
BEGIN
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'seal_audit must be the first in its transaction that writes' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO handed_out FROM audit_ids s;
    SELECT m.* INTO mark FROM audit_marks m FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0; -- another sealer is at it
    END IF;
    IF mark.ripe_xid >= pg_current_xact_id() THEN
        mark.epoch := mark.epoch + 1;
    ELSIF mark.ripe_xid >= pg_snapshot_xmin(pg_current_snapshot()) THEN
        RETURN 0; -- somebody who may hold an id is still writing; the mark ripens
    ELSE
        moment := clock_timestamp();
        after := mark.sealed_id;
        FOR piece IN
            -- in order of ids, a new batch wherever the year changes (at New Year, rows of both may alternate)
            SELECT cut.year, count(*) AS row_count, max(cut.id) AS last_id,
                   string_agg(int8send(cut.id) || cut.leaf, '' ORDER BY cut.id) AS members,
                   lead(1) OVER (ORDER BY max(cut.id)) IS NULL AS is_last
            FROM (
                SELECT found.*, (row_number() OVER (PARTITION BY found.island ORDER BY found.id) - 1) / batch_size AS part
                FROM (
                    SELECT fresh.*, count(*) FILTER (WHERE fresh.year <> fresh.last_year) OVER (ORDER BY fresh.id) AS island
                    FROM (
                        SELECT l.id, l.leaf, y.year, lag(y.year) OVER (ORDER BY l.id) AS last_year
                        FROM audit_log l
                        CROSS JOIN LATERAL (SELECT date_trunc('year', l."timestamp" AT TIME ZONE 'UTC')::date AS year) AS y
                        WHERE l.id > mark.sealed_id AND l.id <= mark.ripe_id
                    ) AS fresh
                ) AS found
            ) AS cut
            GROUP BY cut.island, cut.part, cut.year
            ORDER BY last_id
        LOOP
            made := made + 1;
            mark.batch := mark.batch + 1;
            upto := CASE WHEN piece.is_last THEN mark.ripe_id ELSE piece.last_id END;
            hash := app.audit_head(mark.head, mark.batch, mark.epoch, piece.year, after, upto, piece.row_count, moment,
                                   sha256(piece.members));
            INSERT INTO audit_batches
            VALUES (mark.batch, mark.epoch, piece.year, after, upto, piece.row_count, moment, piece.members,
                    sha256(piece.members), mark.head, hash);
            mark.head := hash;
            after := upto;
        END LOOP;
        mark.sealed_id := mark.ripe_id;
    END IF;
    UPDATE audit_marks SET epoch = mark.epoch, sealed_id = mark.sealed_id, batch = mark.batch, head = mark.head,
        ripe_id = handed_out, ripe_xid = pg_current_xact_id();
    RETURN made;
END
$$;

-- What to publish outside PostgreSQL: the last batch with its head and its year (NULL where there is none), and the rows not
-- sealed yet, as this snapshot sees them.
CREATE FUNCTION app.audit_witness(
    OUT batch bigint, OUT head bytea, OUT sealed_id bigint, OUT tail_id bigint, OUT tail_rows bigint, OUT tail_root bytea,
    OUT snapshot text, OUT year date
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.batch, m.head, m.sealed_id, coalesce(t.last_id, m.sealed_id), t.row_count, sha256(t.members),
           pg_current_snapshot()::text,
           coalesce((SELECT b.year FROM audit_batches b WHERE b.number = m.batch),
                    (SELECT max(r.batch_year) FROM audit_retired r WHERE r.upto_batch = m.batch))
    FROM audit_marks m
    CROSS JOIN LATERAL (
        SELECT max(l.id) AS last_id, count(*) AS row_count,
               coalesce(string_agg(int8send(l.id) || l.leaf, '' ORDER BY l.id), '') AS members
        FROM audit_log l WHERE l.id > m.sealed_id
    ) AS t
$$;

-- ------------------------------------------------------------------------------------------------ verifying

-- What is wrong with the chain itself. `problem`: removed batch, changed batch, changed head, early retirement (a year that
-- left before its time, or a batch with a year that is not its own). Row numbers are not its business.
CREATE FUNCTION app.audit_chain_problems() RETURNS TABLE (problem text, batch bigint, detail text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH start AS (
        SELECT coalesce((SELECT r.upto_batch FROM audit_retired r ORDER BY r.upto_batch DESC LIMIT 1), 0) AS number,
               coalesce((SELECT r.head FROM audit_retired r ORDER BY r.upto_batch DESC LIMIT 1), decode(repeat('00', 32), 'hex')) AS head
    ), links AS (
        SELECT b.*, coalesce(lag(b.number) OVER chain, s.number) AS last_number, coalesce(lag(b.head) OVER chain, s.head) AS last_head,
               coalesce(lag(b.upto_id) OVER chain, 0) AS last_id
        FROM audit_batches b CROSS JOIN start s
        WINDOW chain AS (ORDER BY b.number)
    )
    SELECT 'removed batch', missing, NULL
    FROM links l CROSS JOIN LATERAL generate_series(l.last_number + 1, l.number - 1) AS missing
    UNION ALL
    SELECT 'removed batch', missing, 'the sealer had made it'
    FROM audit_marks m CROSS JOIN start s
    CROSS JOIN LATERAL generate_series(coalesce((SELECT max(b.number) FROM audit_batches b), s.number) + 1, m.batch) AS missing
    UNION ALL
    SELECT 'changed head', l.number, 'it does not follow the head of batch ' || l.last_number
    FROM links l WHERE l.last_number = l.number - 1 AND l.previous_head <> l.last_head
    UNION ALL
    SELECT 'changed head', m.batch, 'the sealer left another one'
    FROM audit_marks m CROSS JOIN start s
    WHERE m.head <> coalesce((SELECT b.head FROM audit_batches b WHERE b.number = m.batch), CASE WHEN m.batch = s.number THEN s.head END)
       OR m.batch < (SELECT max(b.number) FROM audit_batches b)
    UNION ALL
    SELECT 'changed batch', l.number, CASE
        WHEN l.root <> sha256(l.members) THEN 'its list of rows is not what was sealed'
        WHEN l.after_id < l.last_id THEN 'it begins before the last one ends'
        ELSE 'its head is not of its contents' END
    FROM links l
    WHERE l.root <> sha256(l.members) OR l.after_id < l.last_id
       OR l.head <> app.audit_head(l.previous_head, l.number, l.epoch, l.year, l.after_id, l.upto_id, l.row_count, l.sealed_at, l.root)
    UNION ALL
    SELECT 'early retirement', NULL, to_char(r.year, 'YYYY') || ' left before its seven years were over'
    FROM audit_retired r WHERE (r.year + interval '8 years') AT TIME ZONE 'UTC' > now()
    UNION ALL
    SELECT 'early retirement', r.upto_batch, 'it left with ' || to_char(r.year, 'YYYY') || ' and is of ' || to_char(r.batch_year, 'YYYY')
    FROM audit_retired r WHERE r.batch_year > r.year
    UNION ALL
    SELECT 'changed head', r.upto_batch, 'it is not of the batch with which ' || to_char(r.year, 'YYYY') || ' left'
    FROM audit_retired r
    WHERE r.upto_batch > 0
      AND r.head IS DISTINCT FROM app.audit_head(r.previous_head, r.upto_batch, r.epoch, r.batch_year, r.after_id, r.upto_id,
                                                 r.batch_rows, r.sealed_at, r.root)
$$;

-- Ranges of ids (after_id, upto_id] that together hold every row, each about `most` rows: work for several connections.
CREATE FUNCTION app.audit_slices(most integer DEFAULT 50000) RETURNS TABLE (after_id bigint, upto_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH slices AS (
        SELECT max(s.upto_id) AS upto_id
        FROM (SELECT b.upto_id, (sum(b.row_count) OVER (ORDER BY b.upto_id) - b.row_count)::bigint / most AS slice
              FROM audit_batches b) AS s
        GROUP BY s.slice
    )
    SELECT lag(e.upto_id, 1, -9223372036854775808) OVER (ORDER BY e.upto_id), e.upto_id
    FROM (SELECT s.upto_id FROM slices s UNION ALL SELECT 9223372036854775807) AS e
$$;

-- What is wrong with the rows in (after_id, upto_id]. `problem`:
--   removed row    it was sealed, or its data are there, but it is not
--   inserted row   it stands where nothing may come any more
--   reordered row  it stands where another one was sealed
--   changed row    its columns are not what was hashed, or its hash is not what was sealed
--   changed data   its data are not what was hashed, or there are others beside them
--   removed data   its data are gone without an erasure of its person on record
--   changed batch  the rows do not add up, and the list that would tell which was changed as well (`id` is NULL)
-- One aggregate a batch tells whether there is anything; only then are rows looked at one by one.
CREATE FUNCTION app.audit_row_problems(after_id bigint, upto_id bigint)
    RETURNS TABLE (problem text, batch bigint, id bigint, table_name text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB' AS $$
DECLARE
    numbers bigint[];
    starts bigint[];
    ends bigint[];
    suspects bigint[];
    unlisted bigint[];
    loose boolean;
    sealed CONSTANT bigint := (SELECT coalesce(max(b.upto_id), 0) FROM audit_batches b);
BEGIN
    SELECT array_agg(b.number ORDER BY b.after_id), array_agg(b.after_id ORDER BY b.after_id),
           array_agg(b.upto_id ORDER BY b.after_id)
    INTO numbers, starts, ends
    FROM audit_batches b
    WHERE b.upto_id > audit_row_problems.after_id AND b.upto_id <= audit_row_problems.upto_id
      AND NOT EXISTS (SELECT FROM audit_retired r WHERE r.year = b.year);

    WITH rows AS (
        SELECT coalesce(l.id, p.id) AS id, l.leaf, width_bucket(coalesce(l.id, p.id) - 1, starts) AS place,
               CASE WHEN l.id IS NULL THEN true
                    WHEN p.id IS NULL THEN NOT app.audit_erased(l.user_id, l.id)
                    ELSE l.digest <> app.audit_digest(p.salt, p.old_data, p.new_data) OR l."timestamp" <> p."timestamp" END
               OR l.leaf <> app.audit_leaf(l.id, l."timestamp", l.table_name, l.operation, l.record_id, l.user_id, l.actor_id,
                                           l.actor, l.login, l.ip_address, l.user_agent, l.xid, l.digest) AS bad
        FROM (SELECT * FROM audit_log a
              WHERE a.id > audit_row_problems.after_id AND a.id <= audit_row_problems.upto_id) AS l
        FULL JOIN (SELECT * FROM audit_payloads a
                   WHERE a.id > audit_row_problems.after_id AND a.id <= audit_row_problems.upto_id) AS p
            ON p.id = l.id
        OFFSET 0 -- the hashes are made here, before the sort, which then carries little
    ), sums AS (
        SELECT s.batch, bool_or(s.bad) AS bad, min(s.id) AS first_id,
               sha256(string_agg(int8send(s.id) || s.leaf, '' ORDER BY s.id)) AS root
        FROM (SELECT r.id, r.leaf, r.bad, CASE WHEN r.id <= ends[r.place] THEN numbers[r.place] END AS batch FROM rows r) AS s
        GROUP BY s.batch
    )
    SELECT array_agg(b.number) FILTER (WHERE b.number IS NOT NULL AND (s.bad OR s.root IS DISTINCT FROM b.root)),
           array_agg(b.number) FILTER (WHERE s.root IS DISTINCT FROM b.root AND b.root <> sha256(b.members)),
           bool_or(b.number IS NULL AND (s.bad OR s.first_id <= sealed))
    INTO suspects, unlisted, loose
    FROM sums s FULL JOIN (SELECT a.* FROM audit_batches a WHERE a.number = ANY (numbers)) AS b ON b.number = s.batch;

    RETURN QUERY SELECT 'changed batch', u, NULL::bigint, NULL::text FROM unnest(unlisted) AS u;
    IF suspects IS NULL AND loose IS NOT TRUE THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH members AS (
        SELECT b.number, ('x' || encode(substring(b.members FROM n * 40 + 1 FOR 8), 'hex'))::bit(64)::bigint AS id,
               substring(b.members FROM n * 40 + 9 FOR 32) AS leaf
        FROM audit_batches b CROSS JOIN LATERAL generate_series(0, b.row_count::integer - 1) AS n
        WHERE b.number = ANY (suspects) AND b.number <> ALL (coalesce(unlisted, '{}'))
    ), rows AS (
        SELECT c.*, CASE WHEN c.id <= ends[c.place] THEN numbers[c.place] END AS batch
        FROM (
            SELECT coalesce(l.id, p.id) AS id, width_bucket(coalesce(l.id, p.id) - 1, starts) AS place,
                   l.id IS NOT NULL AS logged, l.leaf, l.table_name,
                   l.leaf = app.audit_leaf(l.id, l."timestamp", l.table_name, l.operation, l.record_id, l.user_id, l.actor_id,
                                           l.actor, l.login, l.ip_address, l.user_agent, l.xid, l.digest) AS whole,
                   CASE WHEN p.id IS NOT NULL
                        THEN l.digest = app.audit_digest(p.salt, p.old_data, p.new_data) AND l."timestamp" = p."timestamp" END AS data_whole,
                   p.id IS NULL AND NOT app.audit_erased(l.user_id, l.id) AS data_gone
            FROM (SELECT * FROM audit_log a
                  WHERE a.id > audit_row_problems.after_id AND a.id <= audit_row_problems.upto_id) AS l
            FULL JOIN (SELECT * FROM audit_payloads a
                       WHERE a.id > audit_row_problems.after_id AND a.id <= audit_row_problems.upto_id) AS p
                ON p.id = l.id
        ) AS c
    ), judged AS (
        SELECT CASE
                   WHEN r.logged IS NOT TRUE THEN 'removed row'
                   WHEN r.batch IS NULL AND r.id <= sealed
                        OR m.id IS NULL AND r.batch IS NOT NULL AND r.batch <> ALL (coalesce(unlisted, '{}')) THEN 'inserted row'
                   WHEN r.leaf <> m.leaf AND EXISTS (SELECT FROM members o WHERE o.leaf = r.leaf) THEN 'reordered row'
                   WHEN r.leaf <> m.leaf OR NOT r.whole THEN 'changed row'
                   WHEN NOT r.data_whole THEN 'changed data'
                   WHEN r.data_gone THEN 'removed data'
               END AS problem, coalesce(r.batch, m.number) AS batch, coalesce(r.id, m.id) AS id, r.table_name
        FROM (SELECT * FROM rows x WHERE x.batch = ANY (suspects) OR x.batch IS NULL) AS r
        FULL JOIN members m ON m.id = r.id
    )
    SELECT j.* FROM judged j WHERE j.problem IS NOT NULL ORDER BY j.id;
END
$$;

-- Whether the data of that row were erased on request: an erasure of its person is on record after it.
CREATE FUNCTION app.audit_erased(person uuid, row_id bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM audit_log e
                   WHERE e.table_name = 'audit_payloads' AND e.record_id = person AND e.id > row_id)
$$;

-- Whether what a witness saw (see app.audit_witness) still stands: NULL, or what is wrong with it: removed batch, changed head,
-- truncated tail (rows it saw unsealed are not there as they were). Of a year that has left only its last head is known; but
-- only a year that has left can have taken the witness's batch along.
CREATE FUNCTION app.audit_contradiction(
    batch bigint, head bytea, sealed_id bigint, tail_id bigint, tail_rows bigint, tail_root bytea, snapshot text, year date
) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH known AS (
        SELECT b.number, b.head FROM audit_batches b WHERE b.number = $1
        UNION ALL SELECT r.upto_batch, r.head FROM audit_retired r WHERE r.upto_batch = $1
        UNION ALL SELECT 0, decode(repeat('00', 32), 'hex') WHERE $1 = 0
    )
    SELECT CASE
        WHEN $1 < (SELECT max(r.upto_batch) FROM audit_retired r)
            THEN CASE WHEN $8 > (SELECT max(r.year) FROM audit_retired r) THEN 'removed batch' END
        WHEN NOT EXISTS (SELECT FROM known) THEN 'removed batch'
        WHEN NOT EXISTS (SELECT FROM known k WHERE k.head = $2) THEN 'changed head'
        WHEN (SELECT count(*) = tail_rows
                     AND sha256(coalesce(string_agg(int8send(l.id) || l.leaf, '' ORDER BY l.id), '')) = tail_root
              FROM audit_log l
              WHERE l.id > sealed_id AND l.id <= tail_id AND pg_visible_in_snapshot(l.xid, snapshot::pg_snapshot))
            THEN NULL
        ELSE 'truncated tail' END
$$;

GRANT EXECUTE ON FUNCTION
    app.seal_audit(), app.audit_witness(), app.audit_contradiction(bigint, bytea, bigint, bigint, bigint, bytea, text, date)
TO rahhal_worker;
GRANT EXECUTE ON FUNCTION
    app.audit_chain_problems(), app.audit_slices(integer), app.audit_row_problems(bigint, bigint),
    app.audit_witness(), app.audit_contradiction(bigint, bytea, bigint, bigint, bigint, bytea, text, date)
TO rahhal_owner;

SET LOCAL ROLE rahhal_owner;

-- Whether the log is what was written, as far as the database itself can tell: a tail that was cut off together with its
-- batches is only seen beside a published head (rahhal db verify-audit).
CREATE FUNCTION public.verify_audit_log_integrity() RETURNS boolean LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM app.audit_chain_problems())
       AND NOT EXISTS (SELECT FROM app.audit_slices() AS s CROSS JOIN LATERAL app.audit_row_problems(s.after_id, s.upto_id))
$$;
REVOKE EXECUTE ON FUNCTION public.verify_audit_log_integrity() FROM PUBLIC;

-- ------------------------------------------------------------------------------------------------ retention

-- Let a year go whose seven years are over: its rows and data, and the batches up to the first that is younger. The year
-- must be sealed and sound. Returns how many rows left. Waits for locks as long as lock_timeout says.
CREATE FUNCTION public.retire_audit_year(year date) RETURNS bigint
    LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    first CONSTANT date := date_trunc('year', year);
    log CONSTANT text := to_char(first, '"audit_log_"YYYY');
    payloads CONSTANT text := to_char(first, '"audit_payloads_"YYYY');
    retained bigint;
    leaving bigint;
    last audit_batches;
BEGIN
    IF first + interval '8 years' > now() THEN
        RAISE EXCEPTION 'the seven years of % are not over', to_char(first, 'YYYY') USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE format('SELECT count(*), max(id) FROM %I', log) INTO leaving, retained;
    IF retained > (SELECT m.sealed_id FROM audit_marks m) THEN
        RAISE EXCEPTION '% is not sealed yet', log USING ERRCODE = 'object_not_in_prerequisite_state';
    ELSIF EXISTS (SELECT FROM app.audit_chain_problems())
       OR EXISTS (SELECT FROM app.audit_slices() AS s CROSS JOIN LATERAL app.audit_row_problems(s.after_id, s.upto_id)
                  WHERE s.after_id < retained) THEN
        RAISE EXCEPTION '% was tampered with: evidence does not leave', log USING ERRCODE = 'data_corrupted';
    END IF;
    SELECT b.* INTO last FROM audit_batches b
    WHERE b.number < coalesce((SELECT min(n.number) FROM audit_batches n WHERE n.year > first), 9223372036854775807)
    ORDER BY b.number DESC LIMIT 1;
    -- A year without a batch of its own leaves where the one before it did, or where the chain begins.
    INSERT INTO audit_retired (year, row_count, upto_batch, head, epoch, batch_year, after_id, upto_id, batch_rows, sealed_at, root,
                               previous_head)
    SELECT first, leaving, l.*
    FROM (
        SELECT b.number, b.head, b.epoch, b.year, b.after_id, b.upto_id, b.row_count, b.sealed_at, b.root, b.previous_head
        FROM audit_batches b WHERE b.number = last.number
        UNION ALL
        SELECT r.upto_batch, r.head, r.epoch, r.batch_year, r.after_id, r.upto_id, r.batch_rows, r.sealed_at, r.root, r.previous_head
        FROM audit_retired r
        UNION ALL
        SELECT 0, decode(repeat('00', 32), 'hex'), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    ) AS l
    ORDER BY l.number DESC LIMIT 1;
    DELETE FROM audit_batches b WHERE b.number <= last.number;
    EXECUTE format('ALTER TABLE audit_log DETACH PARTITION %I', log);
    EXECUTE format('ALTER TABLE audit_payloads DETACH PARTITION %I', payloads);
    EXECUTE format('DROP TABLE %I, %I', log, payloads);
    RETURN leaving;
END
$$;
REVOKE EXECUTE ON FUNCTION public.retire_audit_year(date) FROM PUBLIC;

-- ------------------------------------------------------------------------------------------------ what is audited

SELECT app.audit('trips');
SELECT app.audit('bookings');
SELECT app.audit('payments');

-- Of people only their role, and of newcomers only those who come with one.
CREATE TRIGGER audited AFTER INSERT ON users
    FOR EACH ROW WHEN (NEW.role <> 'user') EXECUTE FUNCTION app.audit('id', 'id', 'role');
CREATE TRIGGER audited_change AFTER UPDATE OF role ON users
    FOR EACH ROW WHEN (OLD.role <> NEW.role) EXECUTE FUNCTION app.audit('id', 'id', 'role');
CREATE TRIGGER audited_end AFTER DELETE ON users
    FOR EACH ROW WHEN (OLD.role <> 'user') EXECUTE FUNCTION app.audit('id', 'id', 'role');

RESET ROLE;
