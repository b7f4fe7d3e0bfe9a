-- role: rahhal_service
-- People in the tables of later files: how their rows merge, and what people who log in through Supabase may read of them.

-- ------------------------------------------------------------------------------------------------ merging
-- Tables whose rows cannot simply change hands when two logins turn out to be one person (see 0008).

-- Her stays have moved already, and were added up under her new id while they did.
CREATE FUNCTION app.merge_traveler_personas(gone uuid, kept uuid) RETURNS void
    LANGUAGE sql SET search_path = public, pg_temp
    BEGIN ATOMIC
        DELETE FROM traveler_personas WHERE user_id = gone;
    END;

-- ------------------------------------------------------------------------------------------------ Supabase

-- Where Supabase's auth.uid() and its role `authenticated` exist: whoever logs in there reads her own rows of the tables that
-- turns read, under the same condition and in the same columns, and nothing else; whoever does not, nothing. Her auth.uid() is
-- her users.id. Elsewhere this does nothing.
--
-- The runner of migrations calls it after every run, as the login: that is who may use schema auth there, and it makes up for
-- Supabase's default privileges, which give new tables away. Only what differs is changed, so that a start waits for nobody.
-- Returns how many tables may be read.
CREATE FUNCTION app.supabase_policies() RETURNS integer
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    place record;
    outsider text;
    opened integer := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                   WHERE n.nspname = 'auth' AND p.proname = 'uid' AND p.pronargs = 0)
       OR NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'authenticated') THEN
        RETURN 0;
    END IF;

    FOREACH outsider IN ARRAY ARRAY['anon', 'authenticated'] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = outsider);
        FOR place IN -- rights on whole relations: nobody of them has any
            SELECT c.oid::regclass AS relation, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
            FROM pg_catalog.pg_class c, aclexplode(c.relacl) AS a
            WHERE c.relnamespace IN ('public'::regnamespace, 'app'::regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
              AND a.grantee = outsider::regrole
            GROUP BY c.oid, c.relkind
        LOOP
            EXECUTE format('REVOKE ALL ON %s %s FROM %I', place.kind, place.relation, outsider);
        END LOOP;
        FOR place IN
            SELECT p.oid::regprocedure AS relation
            FROM pg_catalog.pg_proc p, aclexplode(p.proacl) AS a
            WHERE p.pronamespace IN ('public'::regnamespace, 'app'::regnamespace) AND a.grantee = outsider::regrole
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
            GROUP BY p.oid
        LOOP
            EXECUTE format('REVOKE ALL ON ROUTINE %s FROM %I', place.relation, outsider);
        END LOOP;
    END LOOP;

    -- By column, because a right on the whole table would include columns that are yet to come.
    FOR place IN
        SELECT c.oid::regclass AS relation, theirs.polname IS NOT NULL AS has_policy,
               replace(pg_get_expr(ours.polqual, c.oid), 'app.user_id()', 'auth.uid()') AS wanted,
               pg_get_expr(theirs.polqual, c.oid) AS found,
               -- The columns that turns read; NULL: nothing.
               (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND has_column_privilege('rahhal_app', c.oid, a.attnum, 'SELECT')) AS readable,
               (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND has_column_privilege('authenticated', c.oid, a.attnum, 'SELECT')) AS read
        FROM pg_catalog.pg_class c
        LEFT JOIN pg_catalog.pg_policy ours ON ours.polrelid = c.oid AND ours.polname = 'own'
        LEFT JOIN pg_catalog.pg_policy theirs ON theirs.polrelid = c.oid AND theirs.polname = 'supabase_own'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        ORDER BY c.relname
    LOOP
        IF place.wanted IS NULL OR place.readable IS NULL OR position('auth.uid()' IN place.wanted) = 0 THEN
            place.wanted := NULL;
            place.readable := NULL;
        END IF;
        IF place.wanted IS DISTINCT FROM place.found THEN
            IF place.has_policy THEN
                EXECUTE format('DROP POLICY supabase_own ON %s', place.relation);
            END IF;
            IF place.wanted IS NOT NULL THEN
                EXECUTE format('CREATE POLICY supabase_own ON %s FOR SELECT TO authenticated USING (%s)',
                               place.relation, place.wanted);
            END IF;
        END IF;
        IF place.readable IS DISTINCT FROM place.read THEN
            EXECUTE format('REVOKE ALL ON %s FROM authenticated', place.relation);
            IF place.readable IS NOT NULL THEN
                EXECUTE format('GRANT SELECT (%s) ON %s TO authenticated', place.readable, place.relation);
            END IF;
        END IF;
        opened := opened + (place.wanted IS NOT NULL)::integer;
    END LOOP;
    RETURN opened;
END
$$;
