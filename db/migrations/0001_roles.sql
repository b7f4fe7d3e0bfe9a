-- role: login
-- The five roles, and the schema `app` with the ground every later file stands on.
-- A plain CREATEROLE login is enough: no superuser, no BYPASSRLS. Roles belong to the whole cluster, so several databases
-- may race to create them.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['rahhal_owner', 'rahhal_service', 'rahhal_app', 'rahhal_worker', 'rahhal_analytics'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of this cluster made it a moment ago
            END;
        END IF;
        IF NOT pg_has_role(current_user, wanted, 'MEMBER')
           OR NOT EXISTS (
               SELECT FROM pg_auth_members m
               WHERE m.roleid = wanted::regrole AND m.member = current_user::regrole
           ) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        ELSIF current_setting('server_version_num')::int >= 160000 THEN
            -- From PostgreSQL 16 on, whoever creates a role gets ADMIN of it but not the right to SET ROLE.
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO rahhal_owner, rahhal_service', current_database());
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

GRANT CREATE, USAGE ON SCHEMA public TO rahhal_owner;
GRANT USAGE ON SCHEMA public TO rahhal_service, rahhal_app, rahhal_worker, rahhal_analytics;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

SET LOCAL ROLE rahhal_service;

CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO rahhal_owner, rahhal_app, rahhal_worker, rahhal_analytics;
ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Time-ordered keys: PostgreSQL 18 has uuidv7(); elsewhere the same layout (RFC 9562: 48-bit milliseconds, version, variant).
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_proc WHERE proname = 'uuidv7' AND pronamespace = 'pg_catalog'::regnamespace) THEN
        CREATE FUNCTION app.uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
            RETURN pg_catalog.uuidv7();
    ELSE
        CREATE FUNCTION app.uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
            RETURN encode(
                set_bit(
                    set_bit(
                        overlay(
                            uuid_send(gen_random_uuid())
                            PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                            FROM 1 FOR 6
                        ),
                        52, 1
                    ),
                    53, 1
                ),
                'hex'
            )::uuid;
    END IF;
END
$$;

-- Whose turn it is. A claim once set reverts to '' (not NULL) at the end of its transaction; a malformed one raises.
CREATE FUNCTION app.user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE SET search_path = ''
    RETURN nullif(pg_catalog.current_setting('app.user_id', true), '')::uuid;

-- Row level security for a personal table, enabled and forced: the house (owner, service) sees every row, a turn its own.
-- `own` is the column that holds the user; NULL means that turns have no direct way in at all.
CREATE FUNCTION app.isolate(target regclass, own name DEFAULT 'user_id') RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY house ON %s TO rahhal_owner, rahhal_service '
        'USING (current_user IN (''rahhal_owner'', ''rahhal_service'')) '
        'WITH CHECK (current_user IN (''rahhal_owner'', ''rahhal_service''))', target);
    IF own IS NOT NULL THEN
        EXECUTE format(
            'CREATE POLICY own ON %s TO rahhal_app USING (%I = (SELECT app.user_id())) '
            'WITH CHECK (%I = (SELECT app.user_id()))', target, own, own);
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION app.uuidv7(), app.user_id() TO rahhal_owner, rahhal_app, rahhal_worker, rahhal_analytics;
GRANT EXECUTE ON FUNCTION app.isolate(regclass, name) TO rahhal_owner;

RESET ROLE;
