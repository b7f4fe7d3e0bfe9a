-- role: rahhal_service
-- The doors of a message, as functions: what a turn and a worker may do is what they may EXECUTE.

-- ------------------------------------------------------------------------------------------------ transaction 1

-- Take events in: an array of {channel, external_id, thread, address, sent_at, event}. Returns how many were new.
-- Waits for no running answer: a row that a transaction is updating makes ON CONFLICT wait for its end, so only
-- conversations that are not there yet are inserted at all.
CREATE FUNCTION app.hear(events jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    heard integer;
BEGIN
    INSERT INTO conversations (channel, thread, address)
    SELECT DISTINCT ON (e.channel, e.thread) e.channel, e.thread, e.address
    FROM jsonb_to_recordset(events) AS e(channel text, thread text, address text)
    WHERE NOT EXISTS (SELECT FROM conversations c WHERE c.channel = e.channel AND c.thread = e.thread)
    ORDER BY e.channel, e.thread
    ON CONFLICT (channel, thread) DO NOTHING;

    INSERT INTO inbox (channel, external_id, conversation_id, event, sent_at)
    SELECT e.channel, e.external_id, c.id, e.event, e.sent_at
    FROM ROWS FROM (
        jsonb_to_recordset(events) AS (channel text, external_id text, thread text, sent_at timestamptz, event jsonb)
    ) WITH ORDINALITY AS e(channel, external_id, thread, sent_at, event, position)
    JOIN conversations c ON c.channel = e.channel AND c.thread = e.thread
    ORDER BY e.position
    ON CONFLICT (channel, external_id) DO NOTHING;
    GET DIAGNOSTICS heard = ROW_COUNT;
    RETURN heard;
END
$$;

-- ------------------------------------------------------------------------------------------------ transaction 2

-- Claim the conversation that has waited longest and nobody is answering; make the person known; put the claim of this
-- transaction on her. NULL when nothing waits. One round trip for everything a turn needs to begin.
CREATE FUNCTION app.begin_turn(
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
        WHERE d.channel = talk.channel AND d.external_id = first_event ->> 'sender';
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
                WHERE d.channel = talk.channel AND d.external_id = first_event ->> 'sender';
            END IF;
        END IF;
    ELSE
        SELECT u.* INTO STRICT person FROM users u WHERE u.id = talk.user_id;
    END IF;

    UPDATE conversations SET
        user_id = person.id,
        session_id = CASE WHEN last_heard_at IS NULL OR last_heard_at < newest - interval '30 minutes'
                          THEN app.uuidv7() ELSE session_id END,
        last_heard_at = greatest(last_heard_at, newest),
        window_until = CASE WHEN channel = 'whatsapp' THEN greatest(window_until, written + interval '24 hours') END,
        stopped_at = NULL, stopped_because = NULL
    WHERE id = talk.id
    RETURNING * INTO talk;

    PERFORM set_config('app.user_id', person.id::text, true);
    RETURN jsonb_build_object(
        'conversation', to_jsonb(talk), 'user', to_jsonb(person), 'messages', waiting, 'newcomer', newcomer);
END
$$;

-- What a pressed button means. `fate`: ok, pressed (a once-only button again), foreign (somebody else's), unknown.
CREATE FUNCTION app.press(conversation uuid, pressed text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    button buttons;
    before timestamptz;
BEGIN
    PERFORM FROM conversations c WHERE c.id = conversation AND c.user_id = app.user_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % is not of this turn', conversation USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT b.* INTO button FROM buttons b WHERE b.token = pressed;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('fate', 'unknown');
    ELSIF button.conversation_id <> conversation THEN
        RETURN jsonb_build_object('fate', 'foreign');
    END IF;
    before := button.pressed_at;
    UPDATE buttons SET pressed_at = coalesce(pressed_at, clock_timestamp()) WHERE token = pressed;
    RETURN jsonb_build_object(
        'fate', CASE WHEN button.once AND before IS NOT NULL THEN 'pressed' ELSE 'ok' END,
        'command', button.command, 'label', button.label, 'outbox_id', button.outbox_id, 'created_at', button.created_at);
END
$$;

-- Everything a turn leaves behind besides its domain rows, in one round trip:
-- answers: [{key, values, locale, edits, text, payloads: [..], buttons: [{token, label, command, once}]}]; the buttons and
--          the transcript belong to the answer's last payload.
-- heard:   [{inbox_id, text}] messages as they are read in the transcript.
-- actions: rows of the behavior log.
-- Returns the ids of the outbox rows, in order.
CREATE FUNCTION app.end_turn(
    conversation uuid, answered bigint[], state jsonb, answers jsonb, heard jsonb, actions jsonb
) RETURNS bigint[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    talk conversations;
    answer jsonb;
    payload jsonb;
    row_id bigint;
    rows_made bigint[] := '{}';
    replaced bigint;
BEGIN
    SELECT c.* INTO talk FROM conversations c WHERE c.id = conversation AND c.user_id = app.user_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % is not of this turn', conversation USING ERRCODE = 'insufficient_privilege';
    END IF;

    UPDATE inbox SET answered_at = clock_timestamp()
    WHERE id = ANY (answered) AND conversation_id = talk.id AND answered_at IS NULL;
    UPDATE conversations SET dialogue = state WHERE id = talk.id;

    INSERT INTO messages (conversation_id, user_id, direction, inbox_id, text)
    SELECT talk.id, talk.user_id, 'in', h.inbox_id, left(h.text, 10000)
    FROM jsonb_to_recordset(heard) AS h(inbox_id bigint, text text);

    FOR answer IN SELECT * FROM jsonb_array_elements(answers) LOOP
        replaced := (answer ->> 'edits')::bigint;
        IF replaced IS NOT NULL THEN
            PERFORM FROM outbox o WHERE o.id = replaced AND o.conversation_id = talk.id;
            IF NOT FOUND THEN
                replaced := NULL;
            END IF;
        END IF;
        FOR payload IN SELECT * FROM jsonb_array_elements(answer -> 'payloads') LOOP
            INSERT INTO outbox (conversation_id, key, "values", locale, payload, edits)
            VALUES (talk.id, answer ->> 'key', answer -> 'values', answer ->> 'locale', payload, replaced)
            RETURNING id INTO row_id;
            rows_made := rows_made || row_id;
            replaced := NULL;
        END LOOP;
        INSERT INTO buttons (token, conversation_id, outbox_id, label, command, once)
        SELECT b.token, talk.id, row_id, b.label, b.command, b.once
        FROM jsonb_to_recordset(answer -> 'buttons') AS b(token text, label text, command jsonb, once boolean);
        INSERT INTO messages (conversation_id, user_id, direction, outbox_id, text)
        VALUES (talk.id, talk.user_id, 'out', row_id, left(answer ->> 'text', 10000));
    END LOOP;

    INSERT INTO user_behavior_log
        (user_id, session_id, action_type, action_data, emotional_state, device_type, "timestamp", hour_of_day, day_of_week)
    SELECT talk.user_id, talk.session_id, a.action_type, a.action_data, a.emotional_state, talk.channel, a.at, a.hour_of_day,
           a.day_of_week
    FROM jsonb_to_recordset(actions)
        AS a(action_type text, action_data jsonb, emotional_state text, at timestamptz, hour_of_day smallint,
             day_of_week smallint);

    RETURN rows_made;
END
$$;

-- A turn failed and was rolled back: count it, in a transaction of its own. The oldest waiting message carries the count;
-- at the third failure it becomes a dead letter and `apology` (payloads, key, locale, text) goes out. Returns the attempts.
CREATE FUNCTION app.fail_turn(conversation uuid, message bigint, problem text, pause interval, apology jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tried integer;
    letter inbox;
    payload jsonb;
BEGIN
    PERFORM FROM conversations c WHERE c.id = conversation FOR NO KEY UPDATE;
    UPDATE inbox SET attempts = attempts + 1, last_error = left(problem, 500)
    WHERE id = message AND conversation_id = conversation AND answered_at IS NULL AND dead_at IS NULL
    RETURNING * INTO letter;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    tried := letter.attempts;
    IF tried < 3 THEN
        UPDATE conversations SET answer_after = clock_timestamp() + pause WHERE id = conversation;
        RETURN tried;
    END IF;
    UPDATE inbox SET dead_at = clock_timestamp() WHERE id = message;
    INSERT INTO dead_letters (channel, reason, payload)
    VALUES (letter.channel, left(problem, 500), jsonb_build_object('inbox_id', letter.id));
    FOR payload IN SELECT * FROM jsonb_array_elements(apology -> 'payloads') LOOP
        INSERT INTO outbox (conversation_id, key, locale, payload)
        VALUES (conversation, apology ->> 'key', apology ->> 'locale', payload);
    END LOOP;
    UPDATE conversations SET answer_after = '-infinity', stopped_at = NULL, stopped_because = NULL WHERE id = conversation;
    RETURN tried;
END
$$;

-- A message to the operators' own chat, in the transaction of what it tells about.
CREATE FUNCTION app.tell_operators(chat text, what text, language text, rendered jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    lane uuid;
BEGIN
    INSERT INTO conversations (channel, thread, address) VALUES ('telegram', 'operators:' || chat, chat)
    ON CONFLICT (channel, thread) DO NOTHING;
    SELECT c.id INTO lane FROM conversations c WHERE c.channel = 'telegram' AND c.thread = 'operators:' || chat;
    INSERT INTO outbox (conversation_id, key, locale, payload)
    SELECT lane, what, language, payload FROM jsonb_array_elements(rendered) AS r(payload);
END
$$;

CREATE FUNCTION app.bury(channel text, reason text, payload jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        INSERT INTO dead_letters (channel, reason, payload) VALUES (bury.channel, left(bury.reason, 500), bury.payload);
    END;

-- ------------------------------------------------------------------------------------------------ sending

-- Lease one lane that has something to send on these channels, replies before broadcasts, oldest first; with its next rows.
-- A stopped conversation keeps its rows until the person writes again; one that asked for silence still gets its replies.
-- `replaces` is the row an edit replaces, `edits` the channel's id of that message if it was sent by now.
CREATE FUNCTION app.lease_lane(channels text[], worker text, lease interval, most integer DEFAULT 10) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    talk conversations;
    taken boolean;
    candidate record;
    refused uuid[] := '{}'; -- somebody else was faster
BEGIN
    -- In the order of the index, so that a long queue of broadcasts costs no more than its first rows.
    FOR candidate IN
        SELECT o.conversation_id
        FROM outbox o
        JOIN conversations c ON c.id = o.conversation_id
        LEFT JOIN lanes l ON l.conversation_id = o.conversation_id
        WHERE o.sent_at IS NULL AND o.dead_at IS NULL AND c.channel = ANY (channels)
          AND coalesce(l.leased_until, '-infinity') <= clock_timestamp()
          AND coalesce(l.not_before, '-infinity') <= clock_timestamp()
          AND (c.stopped_at IS NULL OR c.stopped_because = 'asked' AND o.priority = 0)
        ORDER BY o.priority, o.id
        LIMIT 64
    LOOP
        CONTINUE WHEN candidate.conversation_id = ANY (refused);
        INSERT INTO lanes AS l (conversation_id, holder, leased_until)
        VALUES (candidate.conversation_id, worker, clock_timestamp() + lease)
        ON CONFLICT (conversation_id) DO UPDATE SET holder = worker, leased_until = clock_timestamp() + lease
            WHERE l.leased_until <= clock_timestamp() AND l.not_before <= clock_timestamp()
        RETURNING true INTO taken;
        IF taken THEN
            SELECT c.* INTO talk FROM conversations c WHERE c.id = candidate.conversation_id;
            RETURN jsonb_build_object(
                'conversation_id', talk.id, 'channel', talk.channel, 'address', talk.address,
                'window_until', talk.window_until,
                'rows', (
                    SELECT coalesce(jsonb_agg(jsonb_build_object(
                               'id', r.id, 'payload', r.payload, 'attempts', r.attempts, 'replaces', r.edits,
                               'edits', t.external_id) ORDER BY r.id), '[]')
                    FROM (
                        SELECT o.* FROM outbox o
                        WHERE o.conversation_id = talk.id AND o.sent_at IS NULL AND o.dead_at IS NULL
                          AND (talk.stopped_at IS NULL OR talk.stopped_because = 'asked' AND o.priority = 0)
                        ORDER BY o.id LIMIT most
                    ) AS r
                    LEFT JOIN outbox t ON t.id = r.edits
                ));
        END IF;
        refused := refused || candidate.conversation_id;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION app.mark_sent(message bigint, channel_id text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE outbox SET sent_at = clock_timestamp(), external_id = channel_id, attempts = attempts + 1, last_error = NULL
        WHERE id = message AND sent_at IS NULL AND dead_at IS NULL;
    END;

-- Not now: the lane waits, its order stands. Returns how often this row was tried.
CREATE FUNCTION app.mark_retry(message bigint, pause interval, problem text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tried integer;
    lane uuid;
BEGIN
    UPDATE outbox SET attempts = attempts + 1, last_error = left(problem, 500) WHERE id = message
    RETURNING attempts, conversation_id INTO tried, lane;
    UPDATE lanes SET not_before = clock_timestamp() + pause WHERE conversation_id = lane;
    RETURN tried;
END
$$;

-- A lane waits without a failure: a limit of the channel is used up for now.
CREATE FUNCTION app.pause_lane(conversation uuid, pause interval) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE lanes SET not_before = clock_timestamp() + pause WHERE conversation_id = conversation;
    END;

CREATE FUNCTION app.mark_dead(message bigint, problem text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE outbox SET dead_at = clock_timestamp(), attempts = attempts + 1, last_error = left(problem, 500)
    WHERE id = message AND sent_at IS NULL AND dead_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO dead_letters (channel, reason, payload)
    SELECT c.channel, left(problem, 500), jsonb_build_object('outbox_id', o.id, 'key', o.key)
    FROM outbox o JOIN conversations c ON c.id = o.conversation_id WHERE o.id = message;
END
$$;

-- The person cannot be reached any more: nothing of this lane is tried again until she writes. From the operators' own chat
-- nobody does, so every new notice there is a new try.
CREATE FUNCTION app.stop_lane(conversation uuid, because text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE conversations SET stopped_at = clock_timestamp(), stopped_because = left(because, 200)
        WHERE id = conversation AND user_id IS NOT NULL;
        UPDATE outbox SET dead_at = clock_timestamp(), last_error = left(because, 500)
        WHERE conversation_id = conversation AND sent_at IS NULL AND dead_at IS NULL;
    END;

CREATE FUNCTION app.release_lane(conversation uuid, worker text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE lanes SET leased_until = '-infinity', holder = NULL WHERE conversation_id = conversation AND holder = worker;
    END;

CREATE FUNCTION app.store_statuses(statuses jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stored integer;
BEGIN
    INSERT INTO delivery_statuses (channel, external_id, status, at, error_code, error)
    SELECT s.channel, s.external_id, s.status, s.at, coalesce(s.error_code, ''), left(coalesce(s.error, ''), 500)
    FROM jsonb_to_recordset(statuses)
        AS s(channel text, external_id text, status text, at timestamptz, error_code text, error text)
    ON CONFLICT (channel, external_id, status) DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
    RETURN stored;
END
$$;

-- Take one token from a bucket that holds `capacity` and gains `per_second`. 0 when granted, else the seconds to wait.
CREATE FUNCTION app.take_token(bucket text, capacity double precision, per_second double precision) RETURNS double precision
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here buckets;
    level double precision;
    moment timestamptz;
BEGIN
    INSERT INTO buckets (name, tokens, updated_at) VALUES (bucket, capacity, clock_timestamp()) ON CONFLICT DO NOTHING;
    SELECT b.* INTO here FROM buckets b WHERE b.name = bucket FOR NO KEY UPDATE;
    moment := clock_timestamp();
    level := least(capacity, here.tokens + greatest(0, extract(epoch FROM moment - here.updated_at)) * per_second);
    IF level < 1 THEN
        RETURN (1 - level) / per_second;
    END IF;
    UPDATE buckets SET tokens = level - 1, updated_at = moment WHERE name = bucket;
    RETURN 0;
END
$$;

-- Empty a bucket for some seconds: the channel itself said to slow down. The longest such request stands.
CREATE FUNCTION app.drain_bucket(bucket text, per_second double precision, seconds double precision) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        INSERT INTO buckets (name, tokens, updated_at) VALUES (bucket, 1 - seconds * per_second, clock_timestamp())
        ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at, tokens = least(
            excluded.tokens,
            buckets.tokens + greatest(0, extract(epoch FROM excluded.updated_at - buckets.updated_at)) * per_second);
    END;

-- ------------------------------------------------------------------------------------------------ leases, uploads

-- Hold or renew a lease by name; true while it is ours.
CREATE FUNCTION app.hold_lease(wanted text, worker text, lease interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours boolean;
BEGIN
    INSERT INTO leases AS l (name, holder, leased_until) VALUES (wanted, worker, clock_timestamp() + lease)
    ON CONFLICT (name) DO UPDATE SET holder = worker, leased_until = clock_timestamp() + lease
        WHERE l.holder = worker OR l.leased_until <= clock_timestamp()
    RETURNING true INTO ours;
    RETURN coalesce(ours, false);
END
$$;

CREATE FUNCTION app.drop_lease(held text, worker text, pause interval DEFAULT '0') RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE leases SET leased_until = clock_timestamp() + pause, holder = '' WHERE name = held AND holder = worker;
    END;

CREATE FUNCTION app.lease_value(held text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT value FROM leases WHERE name = held;
    END;

CREATE FUNCTION app.set_lease_value(held text, worker text, wanted jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE leases SET value = wanted WHERE name = held AND holder = worker;
    RETURN FOUND;
END
$$;

CREATE FUNCTION app.uploaded(via text, content_sha256 text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT media_id FROM uploads WHERE channel = via AND sha256 = content_sha256;
    END;

CREATE FUNCTION app.remember_upload(via text, content_sha256 text, handle text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        INSERT INTO uploads (channel, sha256, media_id) VALUES (via, content_sha256, handle)
        ON CONFLICT (channel, sha256) DO UPDATE SET media_id = excluded.media_id, created_at = now();
    END;

-- ------------------------------------------------------------------------------------------------ jobs

-- Take a periodic job if it is due; one worker gets it. A run that never ended is taken over after `most`.
CREATE FUNCTION app.claim_job(wanted text, every interval, most interval DEFAULT '15 minutes') RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours boolean;
BEGIN
    INSERT INTO job_runs AS j (job, started_at, next_at) VALUES (wanted, clock_timestamp(), clock_timestamp() + every)
    ON CONFLICT (job) DO UPDATE
        SET started_at = clock_timestamp(), finished_at = NULL, next_at = clock_timestamp() + every, outcome = NULL
        WHERE CASE WHEN j.finished_at IS NULL THEN j.started_at <= clock_timestamp() - most
                   ELSE j.next_at <= clock_timestamp() END
    RETURNING true INTO ours;
    RETURN coalesce(ours, false);
END
$$;

CREATE FUNCTION app.finish_job(done text, result text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE job_runs SET finished_at = clock_timestamp(), outcome = left(result, 500) WHERE job = done;
    END;

-- How much waits, for /metrics: unanswered messages, unsent rows, dead letters, conversations that want a human.
CREATE FUNCTION app.backlog() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT jsonb_build_object(
            'inbox', (SELECT count(*) FROM inbox WHERE answered_at IS NULL AND dead_at IS NULL),
            'outbox', (SELECT count(*) FROM outbox WHERE sent_at IS NULL AND dead_at IS NULL),
            'dead_letters', (SELECT count(*) FROM dead_letters),
            'humans_wanted', (SELECT count(*) FROM conversations WHERE human_wanted_at IS NOT NULL));
    END;

GRANT EXECUTE ON FUNCTION
    app.hear(jsonb), app.begin_turn(text[], integer, text), app.press(uuid, text),
    app.end_turn(uuid, bigint[], jsonb, jsonb, jsonb, jsonb), app.fail_turn(uuid, bigint, text, interval, jsonb),
    app.tell_operators(text, text, text, jsonb), app.bury(text, text, jsonb), app.store_statuses(jsonb)
TO rahhal_app;

GRANT EXECUTE ON FUNCTION
    app.lease_lane(text[], text, interval, integer), app.mark_sent(bigint, text), app.mark_retry(bigint, interval, text),
    app.mark_dead(bigint, text), app.pause_lane(uuid, interval), app.stop_lane(uuid, text),
    app.claim_job(text, interval, interval), app.finish_job(text, text), app.backlog(), app.release_lane(uuid, text), app.store_statuses(jsonb),
    app.take_token(text, double precision, double precision),
    app.drain_bucket(text, double precision, double precision), app.hold_lease(text, text, interval),
    app.drop_lease(text, text, interval), app.lease_value(text), app.set_lease_value(text, text, jsonb),
    app.uploaded(text, text), app.remember_upload(text, text, text)
TO rahhal_worker;
