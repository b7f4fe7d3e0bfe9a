-- role: rahhal_service
-- The claim is read by every policy. Its body was parsed when it was created, so it needs no search_path of its own; without one
-- the planner takes the body in place of the call, and a turn's reads lose most of what row level security cost them.

CREATE OR REPLACE FUNCTION app.user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('app.user_id', true), '')::uuid;
