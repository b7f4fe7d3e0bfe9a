-- role: rahhal_owner
-- People, their conversations, and the three steps of a message: inbox, turn, outbox.

-- ------------------------------------------------------------------------------------------------ people

CREATE TABLE users (
    id                 uuid PRIMARY KEY DEFAULT app.uuidv7(),
    full_name          text CHECK (length(full_name) BETWEEN 2 AND 60),  -- in Latin letters, as in the passport
    phone              text CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
    email              text CHECK (length(email) <= 254 AND email LIKE '%_@_%'),
    preferred_language text NOT NULL DEFAULT 'ar' CHECK (preferred_language IN ('ar', 'en')),
    language_chosen    boolean NOT NULL DEFAULT false, -- by her; until then it is what the client says, or what she writes
    country            char(2) NOT NULL DEFAULT 'EG' CHECK (country ~ '^[A-Z]{2}$'),
    digits             text NOT NULL DEFAULT 'latn' CHECK (digits IN ('latn', 'arab')),
    timezone           text NOT NULL DEFAULT 'Africa/Cairo' CHECK (length(timezone) BETWEEN 3 AND 64),
    account_status     text NOT NULL DEFAULT 'active' CHECK (account_status IN ('active', 'suspended', 'deleted')),
    role               text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'operator', 'admin')),
    consented          boolean,                   -- NULL: not asked yet; what serves analysis is logged only when true
    consented_at       timestamptz,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    last_login_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((consented IS NULL) = (consented_at IS NULL))
);

CREATE TABLE user_identities (
    channel     text NOT NULL CHECK (channel IN ('telegram', 'whatsapp', 'webchat', 'terminal')),
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 256),
    user_id     uuid NOT NULL REFERENCES users,
    name        text CHECK (length(name) <= 200), -- as the channel shows it
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel, external_id)
);
CREATE INDEX user_identities_user ON user_identities (user_id);

-- ------------------------------------------------------------------------------------------------ conversations

CREATE TABLE conversations (
    id                 uuid PRIMARY KEY DEFAULT app.uuidv7(),
    channel            text NOT NULL CHECK (channel IN ('telegram', 'whatsapp', 'webchat', 'terminal')),
    thread             text NOT NULL CHECK (length(thread) BETWEEN 1 AND 256),
    address            text NOT NULL CHECK (length(address) BETWEEN 1 AND 256),
    user_id            uuid REFERENCES users,     -- NULL until the first turn
    dialogue           jsonb NOT NULL DEFAULT '{}',
    session_id         uuid,                      -- a new one after half an hour of silence
    last_heard_at      timestamptz,
    window_until       timestamptz,               -- WhatsApp: free text is accepted until then
    answer_after       timestamptz NOT NULL DEFAULT '-infinity',
    human_wanted_at    timestamptz,
    stopped_at         timestamptz,
    stopped_because    text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, thread)
);
CREATE INDEX conversations_user ON conversations (user_id);
CREATE INDEX conversations_human_wanted ON conversations (human_wanted_at) WHERE human_wanted_at IS NOT NULL;

-- ------------------------------------------------------------------------------------------------ inbox

CREATE TABLE inbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel         text NOT NULL,
    external_id     text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 256),
    conversation_id uuid NOT NULL REFERENCES conversations,
    event           jsonb NOT NULL,
    sent_at         timestamptz,
    received_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at     timestamptz,
    attempts        smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error      text,
    dead_at         timestamptz,
    UNIQUE (channel, external_id),
    CHECK (answered_at IS NULL OR dead_at IS NULL)
);
CREATE INDEX inbox_pending ON inbox (id) WHERE answered_at IS NULL AND dead_at IS NULL;
CREATE INDEX inbox_conversation ON inbox (conversation_id, id);

CREATE TABLE dead_letters (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel     text NOT NULL,
    reason      text NOT NULL,
    payload     jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- ------------------------------------------------------------------------------------------------ outbox

CREATE TABLE outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations,
    key             text NOT NULL,
    "values"        jsonb NOT NULL DEFAULT '{}',
    locale          text NOT NULL,
    payload         jsonb NOT NULL,
    edits           bigint REFERENCES outbox,     -- an earlier row of the same lane, replaced in place
    priority        smallint NOT NULL DEFAULT 0 CHECK (priority IN (0, 1)), -- 0 a reply, 1 a broadcast
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts        smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    sent_at         timestamptz,
    external_id     text,
    dead_at         timestamptz,
    last_error      text,
    CHECK (sent_at IS NULL OR dead_at IS NULL)
);
CREATE INDEX outbox_pending ON outbox (priority, id) WHERE sent_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_lane ON outbox (conversation_id, id);
CREATE INDEX outbox_edits ON outbox (edits) WHERE edits IS NOT NULL;

-- A lane is a conversation's way out. It is leased as a whole, so that order is kept across workers and retries.
CREATE TABLE lanes (
    conversation_id uuid PRIMARY KEY REFERENCES conversations,
    holder          text,
    leased_until    timestamptz NOT NULL DEFAULT '-infinity',
    not_before      timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE TABLE buttons (
    token           text PRIMARY KEY CHECK (token ~ '^[A-Za-z0-9_-]{8,64}$'),
    conversation_id uuid NOT NULL REFERENCES conversations,
    outbox_id       bigint NOT NULL REFERENCES outbox,
    label           text NOT NULL,
    command         jsonb NOT NULL,
    once            boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    pressed_at      timestamptz
);
CREATE INDEX buttons_outbox ON buttons (outbox_id);
CREATE INDEX buttons_conversation ON buttons (conversation_id, created_at);

-- The transcript, both directions, as people read it.
CREATE TABLE messages (
    id              uuid PRIMARY KEY DEFAULT app.uuidv7(),
    conversation_id uuid NOT NULL REFERENCES conversations,
    user_id         uuid NOT NULL REFERENCES users,
    direction       text NOT NULL CHECK (direction IN ('in', 'out')),
    inbox_id        bigint REFERENCES inbox,
    outbox_id       bigint REFERENCES outbox,
    text            text NOT NULL CHECK (length(text) <= 10000),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((direction = 'in') = (inbox_id IS NOT NULL)),
    CHECK ((direction = 'out') = (outbox_id IS NOT NULL))
);
CREATE INDEX messages_conversation ON messages (conversation_id, id);
CREATE INDEX messages_user ON messages (user_id);
CREATE INDEX messages_inbox ON messages (inbox_id);
CREATE INDEX messages_outbox ON messages (outbox_id);

CREATE TABLE delivery_statuses (
    channel     text NOT NULL,
    external_id text NOT NULL,
    status      text NOT NULL CHECK (status IN ('sent', 'delivered', 'read', 'failed')),
    at          timestamptz NOT NULL,
    error_code  text NOT NULL DEFAULT '',
    error       text NOT NULL DEFAULT '',
    stored_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel, external_id, status)
);

-- ------------------------------------------------------------------------------------------------ shared by processes

-- Who does what only one process may do (polling Telegram), with a value that must survive it (the offset).
CREATE TABLE leases (
    name         text PRIMARY KEY,
    holder       text NOT NULL,
    leased_until timestamptz NOT NULL,
    value        jsonb
);

-- Token buckets of the channels' sending limits, shared by all workers.
CREATE TABLE buckets (
    name        text PRIMARY KEY,
    tokens      double precision NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- Files already uploaded to a channel, by content, so that a picture travels once.
CREATE TABLE uploads (
    channel     text NOT NULL,
    sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    media_id    text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel, sha256)
);

-- When each job of the worker last ran.
CREATE TABLE job_runs (
    job          text PRIMARY KEY,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    next_at      timestamptz NOT NULL,
    outcome      text
);

-- ------------------------------------------------------------------------------------------------ behavior log

-- One row for each thing a traveler did, in the transaction of its effect. No foreign key: it would cost a quarter of the
-- ingest rate, and rows of an erased person hold an id that leads nowhere.
CREATE TABLE user_behavior_log (
    id              uuid NOT NULL DEFAULT app.uuidv7(),
    user_id         uuid NOT NULL,
    session_id      uuid,
    action_type     text NOT NULL CHECK (action_type IN (
        'بدء_بحث', 'عرض_فندق', 'مقارنة_فنادق', 'حفظ_للمفضلة', 'قراءة_تقييمات', 'تغيير_ميزانية', 'تغيير_تواريخ',
        'إكمال_حجز', 'إلغاء_حجز', 'مشاركة_نتائج',
        'بدء_محادثة', 'موافقة', 'تغيير_لغة', 'تغيير_وجهة', 'تغيير_نزلاء', 'عرض_نتائج', 'ترتيب_نتائج', 'بدء_حجز',
        'عرض_رحلات', 'طلب_مساعدة', 'تحويل_لموظف', 'إيقاف', 'دفع', 'إحالة', 'نتيجة_إقامة', 'عرض_توقع',
        'عرض_دليل_اجتماعي'
    )),
    action_data     jsonb NOT NULL DEFAULT '{}',
    emotional_state text CHECK (emotional_state IN ('urgent', 'frustrated', 'excited', 'hesitant', 'neutral')),
    device_type     text,
    referrer_source text,
    "timestamp"     timestamptz NOT NULL DEFAULT now(),
    hour_of_day     smallint NOT NULL CHECK (hour_of_day BETWEEN 0 AND 23),  -- the traveler's own clock
    day_of_week     smallint NOT NULL CHECK (day_of_week BETWEEN 1 AND 7),   -- ISO: 1 is Monday
    ip_country      char(2),
    user_agent      text,
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE INDEX user_behavior_log_user ON user_behavior_log (user_id, "timestamp");

CREATE TABLE user_behavior_log_default PARTITION OF user_behavior_log DEFAULT;
SELECT app.isolate('user_behavior_log_default', NULL);

-- Months come as LIKE + CHECK + ATTACH: CREATE … PARTITION OF would wait for readers and block every insert behind it.
-- Rows that already fell into DEFAULT for that month move along. Returns whether the month is new.
CREATE FUNCTION public.create_monthly_partition(month date) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS $$
DECLARE
    first date := date_trunc('month', month);
    after date := first + interval '1 month';
    partition name := 'user_behavior_log_' || to_char(first, 'YYYY_MM');
    moved bigint;
BEGIN
    IF to_regclass(format('public.%I', partition)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.user_behavior_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
                   'INCLUDING INDEXES)', partition);
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT in_month CHECK ("timestamp" >= %L AND "timestamp" < %L)',
                   partition, first::timestamptz, after::timestamptz);
    EXECUTE format('WITH gone AS (DELETE FROM public.user_behavior_log_default WHERE "timestamp" >= $1 AND "timestamp" < $2 '
                   'RETURNING *) INSERT INTO public.%I SELECT * FROM gone', partition)
        USING first::timestamptz, after::timestamptz;
    GET DIAGNOSTICS moved = ROW_COUNT;
    PERFORM app.isolate(format('public.%I', partition)::regclass, NULL);
    EXECUTE format('ALTER TABLE public.user_behavior_log ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   partition, first::timestamptz, after::timestamptz);
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT in_month', partition);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO rahhal_service', partition);
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION public.create_monthly_partition(date) FROM PUBLIC;

SELECT public.create_monthly_partition((date_trunc('month', now()) + make_interval(months => n))::date)
FROM generate_series(-1, 3) AS n;

-- ------------------------------------------------------------------------------------------------ isolation

SELECT app.isolate('users', 'id');
SELECT app.isolate('user_identities');
SELECT app.isolate('conversations');
SELECT app.isolate('inbox', NULL);
SELECT app.isolate('outbox', NULL);
SELECT app.isolate('buttons', NULL);
SELECT app.isolate('lanes', NULL);
SELECT app.isolate('messages');
SELECT app.isolate('delivery_statuses', NULL);
SELECT app.isolate('dead_letters', NULL);
SELECT app.isolate('user_behavior_log');

GRANT SELECT, INSERT, UPDATE, DELETE ON
    users, user_identities, conversations, inbox, dead_letters, outbox, lanes, buttons, messages, delivery_statuses, leases,
    buckets, uploads, job_runs, user_behavior_log, user_behavior_log_default
TO rahhal_service;

-- A turn reads its own person and may change what is hers to change; status and role are not.
GRANT SELECT ON users, user_identities, conversations, messages, user_behavior_log TO rahhal_app;
GRANT UPDATE (full_name, phone, email, preferred_language, language_chosen, country, digits, timezone, consented, consented_at, updated_at)
    ON users TO rahhal_app;
GRANT UPDATE (human_wanted_at, stopped_at, stopped_because) ON conversations TO rahhal_app;
GRANT INSERT ON user_behavior_log TO rahhal_app;
