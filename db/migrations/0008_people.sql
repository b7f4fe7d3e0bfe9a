-- role: rahhal_owner
-- People: who is of the house, and one person with several logins.
--
-- Two logins become one person by a code: asked for in one chat, written in the other. The person who writes it becomes
-- the one who asked for it; what she had moves over in that transaction, and her row stays behind, deleted, pointing there.

ALTER TABLE users
    -- squawk-ignore adding-foreign-key-constraint
    ADD COLUMN merged_into uuid REFERENCES users,  -- always somebody who is not merged away herself
    ADD CONSTRAINT users_merged CHECK (merged_into IS NULL OR (account_status = 'deleted' AND merged_into <> id)) NOT VALID;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX users_merged_into ON users (merged_into) WHERE merged_into IS NOT NULL;

-- The code somebody asked for, as its SHA-256, and what she has tried within the hour. One row and one live code a person.
CREATE TABLE join_codes (
    user_id    uuid PRIMARY KEY REFERENCES users,
    code_hash  bytea UNIQUE CHECK (length(code_hash) = 32),
    expires_at timestamptz,
    hour       timestamptz NOT NULL,                      -- the hour that the two counts are of
    made       smallint NOT NULL DEFAULT 0 CHECK (made >= 0),
    missed     smallint NOT NULL DEFAULT 0 CHECK (missed >= 0),
    CHECK ((code_hash IS NULL) = (expires_at IS NULL))
);
SELECT app.isolate('join_codes', NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON join_codes TO rahhal_service;

SET LOCAL ROLE rahhal_service;

-- ------------------------------------------------------------------------------------------------ roles

-- Whether this turn is of somebody of the house. A function, because a policy on users that reads users never ends.
CREATE FUNCTION app.is_operator() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT EXISTS (
            SELECT FROM users u
            WHERE u.id = app.user_id() AND u.account_status = 'active' AND u.role IN ('operator', 'admin'));
    END;

-- Give somebody a role. Returns the one she had; NULL when there is no such active person. Only the command line may.
CREATE FUNCTION app.set_role(person uuid, wanted text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text;
BEGIN
    SELECT u.role INTO before FROM users u WHERE u.id = person AND u.account_status = 'active' FOR NO KEY UPDATE;
    IF before <> wanted THEN
        UPDATE users SET role = wanted, updated_at = clock_timestamp() WHERE id = person;
    END IF;
    RETURN before;
END
$$;

-- ------------------------------------------------------------------------------------------------ codes

-- A code is compared by its digest only, so that timing tells nothing of it; people may write it in any case, with any signs
-- between its letters.
CREATE FUNCTION app.digest_of_code(written text) RETURNS bytea LANGUAGE sql IMMUTABLE SET search_path = ''
    RETURN sha256(convert_to(regexp_replace(upper(written), '[^A-Z0-9]', '', 'g'), 'UTF8'));

-- A new code for this turn's person, for ten minutes; it takes the place of an earlier one. 12 of 30 characters are 58 random
-- bits. NULL after five within the hour.
CREATE FUNCTION app.make_join_code(moment timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person CONSTANT uuid := app.user_id();
    this_hour CONSTANT timestamptz := date_trunc('hour', moment, 'UTC');
    code CONSTANT text := app.random_code(12);
BEGIN
    IF person IS NULL THEN
        RAISE EXCEPTION 'a code belongs to a turn' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO join_codes AS j (user_id, code_hash, expires_at, hour, made)
    VALUES (person, app.digest_of_code(code), moment + interval '10 minutes', this_hour, 1)
    ON CONFLICT (user_id) DO UPDATE SET
        code_hash = excluded.code_hash, expires_at = excluded.expires_at, hour = this_hour,
        made = CASE WHEN j.hour = this_hour THEN j.made + 1 ELSE 1 END,
        missed = CASE WHEN j.hour = this_hour THEN j.missed ELSE 0 END
        WHERE j.hour <> this_hour OR j.made < 5;
    RETURN CASE WHEN FOUND THEN code END;
END
$$;

-- Whose code this turn's person wrote. `outcome`: found (with owner and the channels she is known on), unknown (never was,
-- used, or too old), same (her own), staff (people of the house keep their own logins), too_many (five wrong ones within
-- the hour: nothing is looked up any more).
CREATE FUNCTION app.join_code_owner(written text, moment timestamptz) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person CONSTANT uuid := app.user_id();
    this_hour CONSTANT timestamptz := date_trunc('hour', moment, 'UTC');
    asker users;
BEGIN
    IF person IS NULL THEN
        RAISE EXCEPTION 'a code is written in a turn' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM join_codes j WHERE j.user_id = person AND j.hour = this_hour AND j.missed >= 5;
    IF FOUND THEN
        RETURN jsonb_build_object('outcome', 'too_many');
    END IF;
    SELECT u.* INTO asker
    FROM join_codes j JOIN users u ON u.id = j.user_id
    WHERE j.code_hash = app.digest_of_code(written) AND j.expires_at > moment AND u.account_status = 'active';
    IF NOT FOUND THEN
        INSERT INTO join_codes AS j (user_id, hour, missed) VALUES (person, this_hour, 1)
        ON CONFLICT (user_id) DO UPDATE SET
            hour = this_hour, missed = CASE WHEN j.hour = this_hour THEN j.missed + 1 ELSE 1 END,
            made = CASE WHEN j.hour = this_hour THEN j.made ELSE 0 END;
        RETURN jsonb_build_object('outcome', 'unknown');
    ELSIF asker.id = person THEN
        RETURN jsonb_build_object('outcome', 'same');
    ELSIF asker.role <> 'user' OR EXISTS (SELECT FROM users u WHERE u.id = person AND u.role <> 'user') THEN
        RETURN jsonb_build_object('outcome', 'staff');
    END IF;
    RETURN jsonb_build_object('outcome', 'found', 'owner', asker.id, 'channels', (
        SELECT jsonb_agg(DISTINCT d.channel) FROM user_identities d WHERE d.user_id = asker.id));
END
$$;

-- ------------------------------------------------------------------------------------------------ merging

-- Every column that says whose a row is, also those of tables yet to come: what refers to users, and what is called user_id.
CREATE FUNCTION app.person_columns() RETURNS TABLE (relation text, attribute text)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT r.relname::text, a.attname::text
    FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.relnamespace = 'public'::regnamespace AND r.relkind IN ('r', 'p') AND NOT r.relispartition
      AND r.oid <> 'public.users'::regclass
      AND (a.attname = 'user_id' OR EXISTS (
          SELECT FROM pg_constraint c
          WHERE c.contype = 'f' AND c.conrelid = r.oid AND c.confrelid = 'public.users'::regclass
            AND a.attnum = ANY (c.conkey)))
$$;

-- What was `gone`'s is `kept`'s. A table whose rows cannot simply change hands has a function app.merge_TABLE(gone, kept) that
-- is called instead, after all the others. Bookings come first: who changes both takes a persona before a hotel's sums.
-- Safe to repeat.
CREATE FUNCTION app.move_person(gone uuid, kept uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    place record;
BEGIN
    FOR place IN
        SELECT p.relation, p.attribute,
               to_regprocedure(format('app.merge_%s(uuid, uuid)', p.relation)) IS NOT NULL AS own_way
        FROM app.person_columns() AS p
        ORDER BY own_way, p.relation <> 'bookings', p.relation, p.attribute
    LOOP
        IF place.own_way THEN
            EXECUTE format('SELECT app.%I($1, $2)', 'merge_' || place.relation) USING gone, kept;
        ELSE
            EXECUTE format('UPDATE public.%I SET %I = $2 WHERE %2$I = $1', place.relation, place.attribute)
                USING gone, kept;
        END IF;
    END LOOP;
END
$$;

-- Codes are of a login, not of a person.
CREATE FUNCTION app.merge_join_codes(gone uuid, kept uuid) RETURNS void
    LANGUAGE sql SET search_path = public, pg_temp
    BEGIN ATOMIC
        DELETE FROM join_codes WHERE user_id = gone;
    END;

-- One that a turn is just beginning on stays where it is: that turn waits for us, and then finds the way by itself.
CREATE FUNCTION app.merge_conversations(gone uuid, kept uuid) RETURNS void
    LANGUAGE sql SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE conversations SET user_id = kept
        WHERE id IN (SELECT c.id FROM conversations c WHERE c.user_id = gone FOR NO KEY UPDATE SKIP LOCKED);
    END;

-- This turn's person becomes the one who asked for this code, and the turn goes on as hers. `outcome`: merged (with user, her
-- row), busy (another chat of hers is merging her just now), or one of app.join_code_owner.
--
-- Nobody writes under the old id meanwhile: every turn holds its person FOR KEY SHARE from its first to its last moment, which
-- FOR UPDATE waits for. Rows are taken in the order of their ids, and who stays is taken no more than FOR NO KEY UPDATE, so
-- that two people who become each other at once do not wait in a circle: the second finds that she is the first already.
CREATE FUNCTION app.merge_people(code text, moment timestamptz) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    leaving users;
    staying users;
    person uuid;
    owner CONSTANT jsonb := app.join_code_owner(code, moment);
BEGIN
    IF owner ->> 'outcome' <> 'found' THEN
        RETURN owner;
    ELSIF NOT pg_try_advisory_xact_lock(hashtextextended('rahhal.merge_people:' || app.user_id(), 0)) THEN
        RETURN jsonb_build_object('outcome', 'busy');
    END IF;
    FOR person IN SELECT unnest(ARRAY[app.user_id(), (owner ->> 'owner')::uuid]) AS id ORDER BY id LOOP
        IF person = app.user_id() THEN
            SELECT u.* INTO STRICT leaving FROM users u WHERE u.id = person FOR UPDATE;
        ELSE
            SELECT u.* INTO STRICT staying FROM users u WHERE u.id = person FOR NO KEY UPDATE;
            IF staying.merged_into = app.user_id() THEN
                RETURN jsonb_build_object('outcome', 'same');
            ELSIF staying.account_status <> 'active' THEN -- while we waited; and wait for nobody else with this row
                RETURN jsonb_build_object('outcome', 'unknown');
            END IF;
        END IF;
    END LOOP;
    IF leaving.role <> 'user' OR staying.role <> 'user' THEN
        RETURN jsonb_build_object('outcome', 'staff');
    END IF;
    UPDATE join_codes SET code_hash = NULL, expires_at = NULL
    WHERE user_id = staying.id AND code_hash = app.digest_of_code(code) AND expires_at > moment;
    IF NOT FOUND OR leaving.account_status <> 'active' THEN
        RETURN jsonb_build_object('outcome', 'unknown');
    END IF;

    PERFORM app.move_person(leaving.id, staying.id);
    UPDATE users SET merged_into = staying.id WHERE merged_into = leaving.id;
    UPDATE users SET account_status = 'deleted', merged_into = staying.id, full_name = NULL, phone = NULL, email = NULL,
        updated_at = clock_timestamp()
    WHERE id = leaving.id;
    UPDATE users u SET
        full_name = coalesce(u.full_name, leaving.full_name),
        phone = coalesce(u.phone, leaving.phone),
        email = coalesce(u.email, leaving.email),
        preferred_language = CASE WHEN leaving.language_chosen AND NOT u.language_chosen
                                  THEN leaving.preferred_language ELSE u.preferred_language END,
        language_chosen = u.language_chosen OR leaving.language_chosen,
        -- The stricter: a refusal, then a question not yet answered.
        consented = stricter.consented,
        consented_at = stricter.consented_at,
        created_at = least(u.created_at, leaving.created_at),
        last_login_at = greatest(u.last_login_at, leaving.last_login_at),
        updated_at = clock_timestamp()
    FROM (
        SELECT w.consented, w.consented_at
        FROM (VALUES (leaving.consented, leaving.consented_at), (staying.consented, staying.consented_at))
            AS w(consented, consented_at)
        ORDER BY CASE w.consented WHEN false THEN 0 WHEN true THEN 2 ELSE 1 END, w.consented_at DESC
        LIMIT 1
    ) AS stricter
    WHERE u.id = staying.id
    RETURNING u.* INTO staying;
    PERFORM set_config('app.user_id', staying.id::text, true);
    RETURN jsonb_build_object('outcome', 'merged', 'user', to_jsonb(staying));
END
$$;

-- What a job or a late writer still wrote under an id that was merged away lately follows it. Returns how many people that
-- was looked at for.
CREATE FUNCTION app.settle_merges(within interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person record;
    settled integer := 0;
BEGIN
    FOR person IN
        SELECT u.id, u.merged_into FROM users u
        WHERE u.merged_into IS NOT NULL AND u.updated_at > clock_timestamp() - within ORDER BY u.id
    LOOP
        PERFORM app.move_person(person.id, person.merged_into);
        settled := settled + 1;
    END LOOP;
    RETURN settled;
END
$$;

-- ------------------------------------------------------------------------------------------------ turns

-- As before (see 0003), and: the person is held FOR KEY SHARE, a merged one is followed to who she is now, and a new session
-- is noted on her.
CREATE OR REPLACE FUNCTION app.begin_turn(
    only_channels text[] DEFAULT NULL, most integer DEFAULT 20, only_thread text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    talk conversations;
    person users;
    waiting jsonb;
    first_event jsonb;
    newest timestamptz;
    written timestamptz;
    newcomer boolean := false;
    fresh boolean;
    hint text;
BEGIN
    LOOP
        SELECT c.* INTO talk
        FROM inbox i JOIN conversations c ON c.id = i.conversation_id
        WHERE i.answered_at IS NULL AND i.dead_at IS NULL
          AND c.answer_after <= clock_timestamp()
          AND (only_channels IS NULL OR c.channel = ANY (only_channels))
          AND (only_thread IS NULL OR c.thread = only_thread)
        ORDER BY i.id
        LIMIT 1
        FOR NO KEY UPDATE OF c SKIP LOCKED;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;

        SELECT jsonb_agg(jsonb_build_object('id', w.id, 'event', w.event, 'received_at', w.received_at,
                                            'attempts', w.attempts) ORDER BY w.at, w.id),
               max(w.received_at), max(least(w.at, w.received_at))
        INTO waiting, newest, written
        FROM (
            SELECT i.id, i.event, i.received_at, i.attempts, coalesce(i.sent_at, i.received_at) AS at
            FROM inbox i
            WHERE i.conversation_id = talk.id AND i.answered_at IS NULL AND i.dead_at IS NULL
            ORDER BY coalesce(i.sent_at, i.received_at), i.id
            LIMIT most
        ) AS w;
        EXIT WHEN waiting IS NOT NULL; -- otherwise answered between the look and the lock: look again
    END LOOP;
    first_event := waiting -> 0 -> 'event';

    IF talk.user_id IS NULL THEN
        SELECT u.* INTO person
        FROM user_identities d JOIN users u ON u.id = d.user_id
        WHERE d.channel = talk.channel AND d.external_id = first_event ->> 'sender'
        FOR KEY SHARE OF u;
        IF NOT FOUND THEN
            hint := lower(coalesce(first_event ->> 'language', ''));
            INSERT INTO users (preferred_language)
            VALUES (CASE WHEN hint = '' OR hint LIKE 'ar%' THEN 'ar' ELSE 'en' END)
            RETURNING * INTO person;
            INSERT INTO user_identities (channel, external_id, user_id, name)
            VALUES (talk.channel, first_event ->> 'sender', person.id, first_event ->> 'sender_name')
            ON CONFLICT (channel, external_id) DO NOTHING;
            newcomer := FOUND;
            IF NOT newcomer THEN -- another conversation of hers was answered for the first time meanwhile
                DELETE FROM users u WHERE u.id = person.id;
                SELECT u.* INTO STRICT person
                FROM user_identities d JOIN users u ON u.id = d.user_id
                WHERE d.channel = talk.channel AND d.external_id = first_event ->> 'sender'
                FOR KEY SHARE OF u;
            END IF;
        END IF;
    ELSE
        SELECT u.* INTO STRICT person FROM users u WHERE u.id = talk.user_id FOR KEY SHARE;
    END IF;
    WHILE person.merged_into IS NOT NULL LOOP
        SELECT u.* INTO STRICT person FROM users u WHERE u.id = person.merged_into FOR KEY SHARE;
    END LOOP;

    fresh := talk.last_heard_at IS NULL OR talk.last_heard_at < newest - interval '30 minutes';
    UPDATE conversations SET
        user_id = person.id,
        session_id = CASE WHEN fresh THEN app.uuidv7() ELSE session_id END,
        last_heard_at = greatest(last_heard_at, newest),
        window_until = CASE WHEN channel = 'whatsapp' THEN greatest(window_until, written + interval '24 hours') END,
        stopped_at = NULL, stopped_because = NULL
    WHERE id = talk.id
    RETURNING * INTO talk;
    IF fresh AND NOT newcomer THEN
        UPDATE users SET last_login_at = clock_timestamp() WHERE id = person.id RETURNING * INTO person;
    END IF;

    PERFORM set_config('app.user_id', person.id::text, true);
    RETURN jsonb_build_object(
        'conversation', to_jsonb(talk), 'user', to_jsonb(person), 'messages', waiting, 'newcomer', newcomer);
END
$$;

GRANT EXECUTE ON FUNCTION
    app.is_operator(), app.make_join_code(timestamptz), app.join_code_owner(text, timestamptz),
    app.merge_people(text, timestamptz)
TO rahhal_app;
GRANT EXECUTE ON FUNCTION app.settle_merges(interval) TO rahhal_worker;
GRANT EXECUTE ON FUNCTION app.set_role(uuid, text) TO rahhal_owner;
