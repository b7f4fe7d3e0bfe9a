-- role: rahhal_service
-- Tables of later files whose rows cannot simply change hands when two logins turn out to be one person (see 0008).

-- Her stays have moved already, and were added up under her new id while they did.
CREATE FUNCTION app.merge_traveler_personas(gone uuid, kept uuid) RETURNS void
    LANGUAGE sql SET search_path = public, pg_temp
    BEGIN ATOMIC
        DELETE FROM traveler_personas WHERE user_id = gone;
    END;
