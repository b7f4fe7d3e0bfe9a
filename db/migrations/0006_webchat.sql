-- role: rahhal_owner
-- The web chat: who a browser is, and what it may read of its own conversation.
-- A visitor is known by a random token in her cookie; only the token's SHA-256 is kept. Her uuid is the conversation's
-- thread and address, and her identity in `user_identities`.

CREATE TABLE webchat_visitors (
    token_hash   bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    visitor      uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL CHECK (expires_at > created_at)
);
CREATE INDEX webchat_visitors_expiry ON webchat_visitors (expires_at);

SELECT app.isolate('webchat_visitors', NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON webchat_visitors TO rahhal_service;

SET LOCAL ROLE rahhal_service;

-- Let a new visitor in under the hash of the token she was just given.
CREATE FUNCTION app.webchat_admit(hash bytea, lifetime interval) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        INSERT INTO webchat_visitors (token_hash, expires_at) VALUES (hash, now() + lifetime) RETURNING visitor;
    END;

-- Who holds this token; NULL when nobody does any more. A visit prolongs it, with at most one write a day.
CREATE FUNCTION app.webchat_visitor(hash bytea, lifetime interval) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    known webchat_visitors;
BEGIN
    SELECT v.* INTO known FROM webchat_visitors v WHERE v.token_hash = hash AND v.expires_at > now();
    IF known.last_seen_at < now() - interval '1 day' THEN
        UPDATE webchat_visitors SET last_seen_at = now(), expires_at = now() + lifetime WHERE token_hash = hash;
    END IF;
    RETURN known.visitor;
END
$$;

-- Her conversation; NULL before her first message.
CREATE FUNCTION app.webchat_conversation(visitor uuid) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT c.id FROM conversations c WHERE c.channel = 'webchat' AND c.thread = visitor::text;
    END;

-- Messages to the holder of this token that come after a sequence, oldest first: [{sequence, edits, at, payload}].
-- They count as sent from here on, and stay readable: a browser that lost them asks again. NULL for an unknown token.
CREATE FUNCTION app.webchat_after(hash bytea, after bigint, most integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    holder uuid;
    talk uuid;
    found jsonb;
BEGIN
    SELECT v.visitor INTO holder FROM webchat_visitors v WHERE v.token_hash = hash AND v.expires_at > now();
    IF holder IS NULL THEN
        RETURN NULL;
    END IF;
    talk := app.webchat_conversation(holder);
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'sequence', r.id, 'edits', r.edits, 'at', r.created_at, 'payload', r.payload) ORDER BY r.id), '[]')
    INTO found
    FROM (
        SELECT o.* FROM outbox o
        WHERE o.conversation_id = talk AND o.id > after AND o.dead_at IS NULL
        ORDER BY o.id LIMIT most
    ) AS r;
    IF found <> '[]' THEN
        UPDATE outbox SET sent_at = clock_timestamp(), external_id = id::text, attempts = attempts + 1
        WHERE conversation_id = talk AND sent_at IS NULL AND dead_at IS NULL
          AND id > after AND id <= (found -> -1 ->> 'sequence')::bigint;
    END IF;
    RETURN found;
END
$$;

-- The end of the conversation as the holder of this token saw it, both directions, oldest first:
-- {after, items: [{at, id, content} her own | {at, sequence, edits, payload} ours]}. NULL for an unknown token.
CREATE FUNCTION app.webchat_history(hash bytea, most integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    holder uuid;
    talk uuid;
    newest bigint;
    found jsonb;
BEGIN
    SELECT v.visitor INTO holder FROM webchat_visitors v WHERE v.token_hash = hash AND v.expires_at > now();
    IF holder IS NULL THEN
        RETURN NULL;
    END IF;
    talk := app.webchat_conversation(holder);
    SELECT coalesce(max(o.id), 0) INTO newest FROM outbox o WHERE o.conversation_id = talk;
    SELECT coalesce(jsonb_agg(r.item ORDER BY r.at, r.side, r.id), '[]') INTO found
    FROM (
        (SELECT i.received_at AS at, 0 AS side, i.id,
                jsonb_build_object('at', i.received_at, 'id', split_part(i.external_id, ':', 2),
                                   'content', i.event -> 'content') AS item
         FROM inbox i
         WHERE i.conversation_id = talk AND starts_with(i.external_id, holder::text || ':')
         ORDER BY i.id DESC LIMIT most)
        UNION ALL
        (SELECT o.created_at, 1, o.id,
                jsonb_build_object('at', o.created_at, 'sequence', o.id, 'edits', o.edits, 'payload', o.payload)
         FROM outbox o
         WHERE o.conversation_id = talk AND o.id <= newest AND o.dead_at IS NULL
         ORDER BY o.id DESC LIMIT most)
        ORDER BY 1 DESC, 2 DESC, 3 DESC
        LIMIT most
    ) AS r;
    UPDATE outbox SET sent_at = clock_timestamp(), external_id = id::text, attempts = attempts + 1
    WHERE conversation_id = talk AND sent_at IS NULL AND dead_at IS NULL AND id <= newest;
    RETURN jsonb_build_object('after', newest, 'items', found);
END
$$;

-- Forget tokens that have expired, and stop counting as unsent what nobody came back for: it is stored, which is all that
-- sending means here, and every other channel's lease would have to walk past it. Returns how many tokens were forgotten.
CREATE FUNCTION app.webchat_sweep() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    forgotten integer;
BEGIN
    UPDATE outbox o SET sent_at = clock_timestamp(), external_id = o.id::text
    FROM conversations c
    WHERE c.id = o.conversation_id AND c.channel = 'webchat'
      AND o.sent_at IS NULL AND o.dead_at IS NULL AND o.created_at < clock_timestamp() - interval '1 hour';
    DELETE FROM webchat_visitors WHERE expires_at <= now();
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

GRANT EXECUTE ON FUNCTION
    app.webchat_admit(bytea, interval), app.webchat_visitor(bytea, interval),
    app.webchat_after(bytea, bigint, integer), app.webchat_history(bytea, integer)
TO rahhal_app;

GRANT EXECUTE ON FUNCTION app.webchat_sweep() TO rahhal_worker;
