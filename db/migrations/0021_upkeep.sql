-- role: rahhal_service
-- What keeps the house in order: a conversation that cannot be claimed gives way, and what has served is not kept for ever.

-- Put the conversation that begin_turn would take next behind the others for `pause`. For when begin_turn itself fails:
-- whatever it stumbles over must not keep everybody else from an answer. Returns whether there was one.
CREATE FUNCTION app.set_aside(only_channels text[], only_thread text, pause interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stuck uuid;
BEGIN
    SELECT c.id INTO stuck
    FROM inbox i JOIN conversations c ON c.id = i.conversation_id
    WHERE i.answered_at IS NULL AND i.dead_at IS NULL
      AND c.answer_after <= clock_timestamp()
      AND (only_channels IS NULL OR c.channel = ANY (only_channels))
      AND (only_thread IS NULL OR c.thread = only_thread)
    ORDER BY i.id
    LIMIT 1
    FOR NO KEY UPDATE OF c SKIP LOCKED;
    UPDATE conversations SET answer_after = clock_timestamp() + pause WHERE id = stuck;
    RETURN FOUND;
END
$$;

-- What has served its purpose: the raw form of messages once the transcript has them (their ids stay, so that a late
-- delivery is still known; a web chat reads its own past from there and keeps it), delivery statuses, dead letters, sending buckets that are full again, old uploads. At most
-- `most` rows of each kind, so that no transaction is long. Returns how many rows that were.
CREATE FUNCTION app.forget_old(now timestamptz, keep interval, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before timestamptz := forget_old.now - keep;
    forgotten integer := 0;
    part integer;
    last bigint;
    reached jsonb; -- how far the inbox and the outbox have been gone through, by id
BEGIN
    INSERT INTO leases (name, holder, leased_until, value) VALUES ('forget_old', '', '-infinity', '{"inbox": 0, "outbox": 0}')
    ON CONFLICT (name) DO NOTHING;
    SELECT l.value INTO reached FROM leases l WHERE l.name = 'forget_old' FOR UPDATE;

    WITH next AS (
        SELECT i.id, i.received_at FROM inbox i WHERE i.id > (reached ->> 'inbox')::bigint ORDER BY i.id LIMIT most
    ), old AS (
        SELECT n.id FROM next n WHERE n.received_at < before
    ), blanked AS (
        UPDATE inbox i SET event = '{}', last_error = NULL
        FROM old, conversations c
        WHERE i.id = old.id AND c.id = i.conversation_id AND (i.answered_at IS NOT NULL OR i.dead_at IS NOT NULL)
          AND c.channel <> 'webchat'
        RETURNING i.id
    )
    SELECT (SELECT count(*) FROM blanked), coalesce((SELECT max(id) FROM old), (reached ->> 'inbox')::bigint)
    INTO part, last;
    forgotten := forgotten + part;
    reached := jsonb_set(reached, '{inbox}', to_jsonb(last));

    WITH next AS (
        SELECT o.id, o.created_at FROM outbox o WHERE o.id > (reached ->> 'outbox')::bigint ORDER BY o.id LIMIT most
    ), old AS (
        SELECT n.id FROM next n WHERE n.created_at < before
    ), blanked AS (
        UPDATE outbox o SET payload = '{}', "values" = '{}', last_error = NULL
        FROM old, conversations c
        WHERE o.id = old.id AND c.id = o.conversation_id AND (o.sent_at IS NOT NULL OR o.dead_at IS NOT NULL)
          AND c.channel <> 'webchat'
        RETURNING o.id
    )
    SELECT (SELECT count(*) FROM blanked), coalesce((SELECT max(id) FROM old), (reached ->> 'outbox')::bigint)
    INTO part, last;
    forgotten := forgotten + part;
    UPDATE leases SET value = jsonb_set(reached, '{outbox}', to_jsonb(last)) WHERE name = 'forget_old';

    DELETE FROM delivery_statuses WHERE ctid IN (
        SELECT s.ctid FROM delivery_statuses s WHERE s.stored_at < before LIMIT most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS part = ROW_COUNT;
    forgotten := forgotten + part;

    DELETE FROM dead_letters WHERE id IN (
        SELECT d.id FROM dead_letters d WHERE d.created_at < before ORDER BY d.id LIMIT most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS part = ROW_COUNT;
    forgotten := forgotten + part;

    -- A bucket that nobody used for a day is as full as a new one; its name holds a chat's address.
    DELETE FROM buckets WHERE name IN (
        SELECT b.name FROM buckets b WHERE b.updated_at < forget_old.now - interval '1 day' LIMIT most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS part = ROW_COUNT;
    forgotten := forgotten + part;

    -- WhatsApp keeps uploaded media for 30 days; after that the picture is uploaded anew.
    DELETE FROM uploads WHERE ctid IN (
        SELECT u.ctid FROM uploads u 
        WHERE u.channel = 'whatsapp' AND u.created_at < forget_old.now - interval '25 days' LIMIT most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS part = ROW_COUNT;
    RETURN forgotten + part;
END
$$;

GRANT EXECUTE ON FUNCTION app.set_aside(text[], text, interval) TO rahhal_app;
GRANT EXECUTE ON FUNCTION app.forget_old(timestamptz, interval, integer) TO rahhal_worker;
