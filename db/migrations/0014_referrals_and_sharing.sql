-- role: rahhal_owner
-- Invitations, what they earn, and links that open what somebody else was looking at. Money is in minor units of `currency`.
--
-- A row of `referrals` is either a traveler's standing link (it has the code, and brings any number of people) or one person
-- who came by it (it has `link_id`). A link's terms are what she was shown; whoever comes by it keeps them.

-- ------------------------------------------------------------------------------------------------ tables

-- What an invitation earns, from a moment on. The operator's settings add a row when they differ from the latest.
CREATE TABLE referral_terms (
    effective_from         timestamptz PRIMARY KEY,
    referrer_reward_amount bigint NOT NULL CHECK (referrer_reward_amount BETWEEN 0 AND 1000000000000),
    referred_reward_amount bigint NOT NULL CHECK (referred_reward_amount BETWEEN 0 AND 1000000000000),
    bonus_if_booked_48h    bigint NOT NULL CHECK (bonus_if_booked_48h BETWEEN 0 AND 1000000000000),
    currency               char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    most_rewards_a_month   integer NOT NULL CHECK (most_rewards_a_month >= 0),  -- of one referrer; more wait for the operator
    most_joins_a_day       integer NOT NULL CHECK (most_joins_a_day >= 1)       -- by one referrer; more are looked at by people
);
INSERT INTO referral_terms VALUES ('2026-01-01 00:00+00', 1000, 1000, 500, 'USD', 10, 20);

CREATE TABLE shared_content (
    id             uuid PRIMARY KEY DEFAULT app.uuidv7(),
    user_id        uuid REFERENCES users,
    content_type   text NOT NULL CHECK (content_type IN ('results', 'hotel', 'trip')),
    content_id     text CHECK (length(content_id) BETWEEN 1 AND 80), -- a city's GeoNames id, a hotel's identifier, a trip's id
    content_data   jsonb NOT NULL DEFAULT '{}'                       -- the search that the link opens; nothing about her
        CHECK (jsonb_typeof(content_data) = 'object' AND octet_length(content_data::text) <= 4096),
    share_platform text NOT NULL CHECK (share_platform IN ('telegram', 'whatsapp', 'webchat', 'terminal')),
    code           text NOT NULL UNIQUE CHECK (code ~ '^[2-9A-HJKMNP-Z]{14}$'),
    click_count    bigint NOT NULL DEFAULT 0 CHECK (click_count >= 0),  -- visitors, by job
    conversions    bigint NOT NULL DEFAULT 0 CHECK (conversions >= 0),  -- first bookings of people it brought, by job
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    erased_at      timestamptz,
    CHECK (num_nulls(user_id, content_id) = CASE WHEN erased_at IS NULL THEN 0 ELSE 2 END),
    CHECK (erased_at IS NULL OR content_data = '{}')
);
CREATE INDEX shared_content_user ON shared_content (user_id, content_type, content_id);

CREATE TABLE referrals (
    id                     uuid PRIMARY KEY DEFAULT app.uuidv7(),
    referrer_user_id       uuid REFERENCES users,
    referred_user_id       uuid UNIQUE REFERENCES users,          -- one referrer for ever
    referral_code          text UNIQUE                            -- at least 68 random bits behind an optional campaign
        CHECK (length(referral_code) <= 64 AND referral_code ~ '^([A-Z0-9]+-)*[2-9A-HJKMNP-Z]{14}$'),
    campaign               text CHECK (length(campaign) <= 40 AND campaign ~ '^[A-Z0-9]+(-[A-Z0-9]+)*$'),
    link_id                uuid REFERENCES referrals,             -- the link she came by
    shared_content_id      uuid REFERENCES shared_content,        -- and what was shared with her, if anything
    booking_id             uuid UNIQUE REFERENCES bookings,       -- her first stay
    platform               text CHECK (platform IN ('telegram', 'whatsapp', 'webchat', 'terminal')), -- she came, or it was made, on
    clicks                 bigint NOT NULL DEFAULT 0 CHECK (clicks >= 0),  -- of a link: visitors, by job
    status                 text NOT NULL DEFAULT 'link'
        CHECK (status IN ('link', 'joined', 'booked', 'matured', 'rewarded', 'void')),
    reason                 text CHECK (length(reason) BETWEEN 1 AND 60),   -- why void, or why the rewards are held
    referrer_reward_amount bigint NOT NULL DEFAULT 0 CHECK (referrer_reward_amount BETWEEN 0 AND 1000000000000),
    referred_reward_amount bigint NOT NULL DEFAULT 0 CHECK (referred_reward_amount BETWEEN 0 AND 1000000000000),
    bonus_if_booked_48h    bigint NOT NULL DEFAULT 0 CHECK (bonus_if_booked_48h BETWEEN 0 AND 1000000000000),
    currency               char(3) NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    joined_at              timestamptz,
    booked_at              timestamptz,
    matured_at             timestamptz,
    rewarded_at            timestamptz,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    erased_at              timestamptz,                           -- one of the two asked to be forgotten
    CHECK (num_nulls(link_id, referral_code) = 1),
    CHECK ((link_id IS NULL) = (joined_at IS NULL)),
    CHECK (status = 'void' OR (status = 'link') = (link_id IS NULL)),
    CHECK (link_id IS NOT NULL OR num_nonnulls(referred_user_id, shared_content_id, booking_id, booked_at) = 0),
    CHECK (campaign IS NULL OR starts_with(referral_code, campaign || '-')),
    CHECK (referrer_user_id <> referred_user_id),
    CHECK (erased_at IS NOT NULL OR referrer_user_id IS NOT NULL),
    CHECK (erased_at IS NOT NULL OR status IN ('link', 'void') OR referred_user_id IS NOT NULL),
    CHECK (status NOT IN ('booked', 'matured', 'rewarded') OR booked_at IS NOT NULL),
    CHECK (status NOT IN ('matured', 'rewarded') OR matured_at IS NOT NULL),
    CHECK (status <> 'rewarded' OR rewarded_at IS NOT NULL),
    CHECK (status <> 'void' OR reason IS NOT NULL)
);
CREATE INDEX referrals_referrer ON referrals (referrer_user_id, joined_at);
CREATE INDEX referrals_link ON referrals (link_id);
CREATE INDEX referrals_shared_content ON referrals (shared_content_id);

-- A reward is a credit that its owner sees. Nothing here takes it off a price.
CREATE TABLE rewards (
    id              uuid PRIMARY KEY DEFAULT app.uuidv7(),
    user_id         uuid REFERENCES users,
    referral_id     uuid NOT NULL REFERENCES referrals,
    booking_id      uuid REFERENCES bookings,                     -- the stay that earns it
    kind            text NOT NULL CHECK (kind IN ('referrer', 'referred', 'bonus_48h')),
    amount          bigint NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000),
    currency        char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'held', 'granted', 'void')),
    reason          text CHECK (length(reason) BETWEEN 1 AND 60), -- why held or void
    matures_at      timestamptz NOT NULL,
    granted_at      timestamptz,
    idempotency_key text NOT NULL UNIQUE CHECK (length(idempotency_key) BETWEEN 8 AND 128),
    demo            boolean NOT NULL DEFAULT false,               -- for a stay in a fictional hotel: worth nothing
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    erased_at       timestamptz,
    CHECK ((user_id IS NULL) = (erased_at IS NOT NULL)),
    CHECK (status <> 'granted' OR granted_at IS NOT NULL),
    CHECK (status NOT IN ('held', 'void') OR reason IS NOT NULL)
);
CREATE INDEX rewards_user ON rewards (user_id, granted_at);
CREATE INDEX rewards_referral ON rewards (referral_id);
CREATE INDEX rewards_booking ON rewards (booking_id);
CREATE INDEX rewards_due ON rewards (matures_at) WHERE status = 'pending';

-- Who opened a link, once each, so that a click updates no row that others click on too; a job counts them. A visitor is a
-- hash of a random cookie and the code, so that two links' visitors cannot be told to be one.
CREATE TABLE link_clicks (
    code    text NOT NULL CHECK (length(code) <= 64),
    visitor bytea NOT NULL CHECK (length(visitor) = 16),
    at      timestamptz NOT NULL DEFAULT now(),
    counted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (code, visitor)
);
CREATE INDEX link_clicks_uncounted ON link_clicks (code) WHERE NOT counted;
CREATE INDEX link_clicks_age ON link_clicks USING brin (at);

-- ------------------------------------------------------------------------------------------------ isolation

SELECT app.isolate('shared_content');
SELECT app.isolate('rewards');
SELECT app.isolate('link_clicks', NULL);
SELECT app.isolate('referrals', NULL);
-- Both sides of an invitation may read it.
CREATE POLICY own ON referrals TO rahhal_app
    USING (referrer_user_id = (SELECT app.user_id()) OR referred_user_id = (SELECT app.user_id()))
    WITH CHECK (referrer_user_id = (SELECT app.user_id()) OR referred_user_id = (SELECT app.user_id()));

GRANT SELECT ON referral_terms, referrals, rewards, shared_content TO rahhal_app;
GRANT SELECT, INSERT ON referral_terms TO rahhal_service;
GRANT SELECT, INSERT, UPDATE ON referrals, rewards, shared_content TO rahhal_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON link_clicks TO rahhal_service;

CREATE TRIGGER lifecycle BEFORE UPDATE OF status ON referrals
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION app.check_step('status', 'link>void', 'joined>booked', 'booked>joined', 'booked>matured',
                                    'matured>rewarded', 'joined>void', 'booked>void', 'matured>void', 'rewarded>void');
CREATE TRIGGER lifecycle BEFORE UPDATE OF status ON rewards
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION app.check_step('status', 'pending>granted', 'pending>held', 'pending>void', 'held>granted', 'held>void',
                                    'granted>void');

SET LOCAL ROLE rahhal_service;

-- ------------------------------------------------------------------------------------------------ links

-- A code of 68 random bits. It has a digit, so that no word written in capitals is taken for one.
CREATE FUNCTION app.link_code() RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = '' AS $$
DECLARE
    made text;
BEGIN
    LOOP
        made := app.random_code(14);
        EXIT WHEN made ~ '[2-9]' AND made ~ '[A-Z]';
    END LOOP;
    RETURN made;
END
$$;

CREATE FUNCTION app.current_terms() RETURNS referral_terms LANGUAGE sql STABLE SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT t.* FROM referral_terms t ORDER BY t.effective_from DESC LIMIT 1;
    END;

-- The operator's terms, dated; nothing where the latest say the same. Returns whether they are new.
CREATE FUNCTION app.publish_terms(
    referrer_reward bigint, referred_reward bigint, bonus bigint, money char(3), a_month integer, a_day integer
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    latest referral_terms;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('rahhal.referral_terms', 0)); -- several processes start at once
    latest := app.current_terms();
    IF (latest.referrer_reward_amount, latest.referred_reward_amount, latest.bonus_if_booked_48h, latest.currency,
        latest.most_rewards_a_month, latest.most_joins_a_day)
       IS NOT DISTINCT FROM (referrer_reward, referred_reward, bonus, money, a_month, a_day) THEN
        RETURN false;
    END IF;
    PERFORM FROM exchange_rates r WHERE r.currency = money;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no exchange rate for %', money USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO referral_terms VALUES (clock_timestamp(), referrer_reward, referred_reward, bonus, money, a_month, a_day);
    RETURN true;
END
$$;

-- The link of this turn's person, made at the first asking, on today's terms: those are what she is about to be shown.
CREATE FUNCTION app.referral_link(wanted_campaign text, made_on text) RETURNS referrals
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person CONSTANT uuid := app.user_id();
    terms CONSTANT referral_terms := app.current_terms();
    link referrals;
BEGIN
    PERFORM FROM users u WHERE u.id = person FOR NO KEY UPDATE; -- two chats of hers at once make one link
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a link belongs to a turn' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT r.* INTO link FROM referrals r
    WHERE r.referrer_user_id = person AND r.joined_at IS NULL AND r.status = 'link'
      AND r.campaign IS NOT DISTINCT FROM wanted_campaign
    ORDER BY r.id LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO referrals (referrer_user_id, referral_code, campaign, platform, referrer_reward_amount,
                               referred_reward_amount, bonus_if_booked_48h, currency)
        VALUES (person, concat_ws('-', wanted_campaign, app.link_code()), wanted_campaign, made_on,
                terms.referrer_reward_amount, terms.referred_reward_amount, terms.bonus_if_booked_48h, terms.currency)
        RETURNING * INTO link;
    ELSIF (link.referrer_reward_amount, link.referred_reward_amount, link.bonus_if_booked_48h, link.currency)
          <> (terms.referrer_reward_amount, terms.referred_reward_amount, terms.bonus_if_booked_48h, terms.currency) THEN
        UPDATE referrals SET referrer_reward_amount = terms.referrer_reward_amount, currency = terms.currency,
            referred_reward_amount = terms.referred_reward_amount, bonus_if_booked_48h = terms.bonus_if_booked_48h,
            updated_at = clock_timestamp()
        WHERE id = link.id RETURNING * INTO link;
    END IF;
    RETURN link;
END
$$;

-- The code of a link that opens this for somebody else; the same thing shared again on the same platform has the same code.
CREATE FUNCTION app.share(kind text, thing text, opens jsonb, on_platform text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found_code text;
BEGIN
    PERFORM app.referral_link(NULL, on_platform); -- who comes by it came by her; it also refuses where there is no turn
    SELECT s.code INTO found_code FROM shared_content s
    WHERE s.user_id = app.user_id() AND s.content_type = kind AND s.content_id = thing AND s.content_data = opens
      AND s.share_platform = on_platform
    LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO shared_content (user_id, content_type, content_id, content_data, share_platform, code)
        VALUES (app.user_id(), kind, thing, opens, on_platform, app.link_code())
        RETURNING code INTO found_code;
    END IF;
    RETURN found_code;
END
$$;

-- What a code is: the link that earns, and what was shared, if anything was. No row: nothing, or no longer.
CREATE FUNCTION app.resolve_link(wanted text, OUT link referrals, OUT shared shared_content)
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    SELECT r.* INTO link FROM referrals r
    JOIN users u ON u.id = r.referrer_user_id AND u.account_status = 'active'
    WHERE r.referral_code = wanted AND r.status = 'link';
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT s.* INTO shared FROM shared_content s
    JOIN users u ON u.id = s.user_id AND u.account_status = 'active'
    WHERE s.code = wanted;
    SELECT r.* INTO link FROM referrals r
    WHERE r.referrer_user_id = shared.user_id AND r.joined_at IS NULL AND r.status = 'link'
    ORDER BY r.campaign NULLS FIRST, r.id LIMIT 1;
END
$$;

-- What the page behind a link may say, and the click of a visitor, counted once. NULL for a code that is none.
CREATE FUNCTION app.open_link(wanted text, clicker bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    what record;
    first_time boolean := false;
BEGIN
    what := app.resolve_link(wanted);
    IF (what.link).id IS NULL AND (what.shared).id IS NULL THEN
        RETURN NULL;
    END IF;
    IF clicker IS NOT NULL THEN
        INSERT INTO link_clicks (code, visitor) VALUES (wanted, clicker) ON CONFLICT DO NOTHING;
        first_time := FOUND;
    END IF;
    RETURN jsonb_build_object(
        'content_type', (what.shared).content_type, 'first_time', first_time, 'reward', coalesce((what.link).referred_reward_amount, 0),
        'bonus', coalesce((what.link).bonus_if_booked_48h, 0), 'currency', coalesce((what.link).currency, 'USD'));
END
$$;

-- This turn's person came by a code. Only at her very first contact does that make her somebody's guest: her row was made
-- by this very transaction. `outcome`: joined; not_new, own, unknown (nothing changes); what was shared is told in any case.
CREATE FUNCTION app.attribute_referral(wanted text, came_on text, moment timestamptz) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person CONSTANT uuid := app.user_id();
    what record;
    link referrals;
    outcome text;
BEGIN
    IF person IS NULL THEN
        RAISE EXCEPTION 'somebody comes in a turn' USING ERRCODE = 'insufficient_privilege';
    END IF;
    what := app.resolve_link(wanted);
    link := what.link;
    IF link.id IS NULL THEN
        outcome := 'unknown';
    ELSIF link.referrer_user_id = person THEN
        outcome := 'own';
    ELSE
        INSERT INTO referrals (referrer_user_id, referred_user_id, link_id, shared_content_id, platform, status,
                               referrer_reward_amount, referred_reward_amount, bonus_if_booked_48h, currency, joined_at)
        SELECT link.referrer_user_id, u.id, link.id, (what.shared).id, came_on, 'joined', link.referrer_reward_amount,
               link.referred_reward_amount, link.bonus_if_booked_48h, link.currency, moment
        FROM users u WHERE u.id = person AND u.created_at = transaction_timestamp()
        ON CONFLICT (referred_user_id) DO NOTHING;
        outcome := CASE WHEN FOUND THEN 'joined' ELSE 'not_new' END;
    END IF;
    RETURN jsonb_build_object(
        'outcome', outcome, 'content_type', (what.shared).content_type, 'content_id', (what.shared).content_id,
        'content_data', (what.shared).content_data, 'reward', coalesce(link.referred_reward_amount, 0),
        'bonus', coalesce(link.bonus_if_booked_48h, 0), 'currency', coalesce(link.currency, 'USD'));
END
$$;

-- ------------------------------------------------------------------------------------------------ from a booking to a reward

-- A stay earns three days after its end: that long the hotel may still say that nobody came.
CREATE FUNCTION app.reward_matures_at(stay bookings) RETURNS timestamptz LANGUAGE sql STABLE
    RETURN ((stay).check_out + time '12:00') AT TIME ZONE (stay).timezone + interval '3 days';

-- This stay is what an invitation brought: its rewards, for later.
CREATE FUNCTION app.expect_rewards(guest referrals, stay bookings) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE referrals SET status = 'booked', booking_id = stay.id, booked_at = stay.confirmed_at, updated_at = clock_timestamp()
    WHERE id = guest.id;
    INSERT INTO rewards (user_id, referral_id, booking_id, kind, amount, currency, matures_at, idempotency_key, demo)
    SELECT e.person, guest.id, stay.id, e.kind, e.amount, guest.currency, app.reward_matures_at(stay),
           e.kind || ':' || guest.id || ':' || stay.id, stay.demo
    FROM (VALUES
        (guest.referrer_user_id, 'referrer', guest.referrer_reward_amount),
        (guest.referred_user_id, 'referred', guest.referred_reward_amount),
        (guest.referred_user_id, 'bonus_48h',
         CASE WHEN stay.confirmed_at <= guest.joined_at + interval '48 hours' THEN guest.bonus_if_booked_48h END)
    ) AS e(person, kind, amount)
    WHERE e.amount > 0 AND e.person IS NOT NULL
    ON CONFLICT (idempotency_key) DO NOTHING;
END
$$;

-- A booking was confirmed, moved, cancelled or not shown up for: what that means for the invitation of its guest.
CREATE FUNCTION app.follow_booking() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    guest referrals;
    instead bookings;
BEGIN
    SELECT r.* INTO guest FROM referrals r
    WHERE r.referred_user_id = NEW.user_id AND r.status IN ('joined', 'booked', 'matured', 'rewarded') FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF NEW.status = 'confirmed' AND guest.status = 'joined' THEN
        PERFORM app.expect_rewards(guest, NEW);
    ELSIF guest.booking_id IS DISTINCT FROM NEW.id THEN
        RETURN NULL;
    ELSIF NEW.status IN ('cancelled', 'no_show') THEN
        UPDATE rewards SET status = 'void', reason = NEW.status, updated_at = clock_timestamp()
        WHERE referral_id = guest.id AND status <> 'void';
        IF guest.status <> 'booked' THEN -- a stay that had been believed already
            UPDATE referrals SET status = 'void', reason = NEW.status, updated_at = clock_timestamp() WHERE id = guest.id;
            RETURN NULL;
        END IF;
        -- Her next stay counts instead, or she may still make one.
        UPDATE referrals SET status = 'joined', booking_id = NULL, booked_at = NULL, updated_at = clock_timestamp()
        WHERE id = guest.id RETURNING * INTO guest;
        SELECT b.* INTO instead FROM bookings b
        WHERE b.user_id = NEW.user_id AND b.status IN ('confirmed', 'completed') AND b.id <> NEW.id
          AND b.confirmed_at >= guest.joined_at
        ORDER BY b.confirmed_at, b.id LIMIT 1;
        IF FOUND THEN
            PERFORM app.expect_rewards(guest, instead);
        END IF;
    ELSE
        UPDATE rewards SET matures_at = app.reward_matures_at(NEW), updated_at = clock_timestamp()
        WHERE referral_id = guest.id AND status = 'pending' AND matures_at <> app.reward_matures_at(NEW);
    END IF;
    RETURN NULL;
END
$$;

-- Why people should look at an invitation before it earns anything; NULL when nothing is odd.
CREATE FUNCTION app.doubt_referral(guest referrals, a_day integer) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM users u
    WHERE u.id IN (guest.referrer_user_id, guest.referred_user_id) AND u.account_status <> 'active';
    IF FOUND THEN
        RETURN 'account';
    END IF;
    PERFORM FROM (
        SELECT u.phone FROM users u WHERE u.id = guest.referrer_user_id
        UNION ALL SELECT b.guest_phone FROM bookings b WHERE b.user_id = guest.referrer_user_id
    ) AS hers(phone)
    JOIN (
        SELECT u.phone FROM users u WHERE u.id = guest.referred_user_id
        UNION ALL SELECT b.guest_phone FROM bookings b WHERE b.user_id = guest.referred_user_id
    ) AS theirs(phone) ON theirs.phone = hers.phone;
    IF FOUND THEN
        RETURN 'same_phone';
    END IF;
    PERFORM FROM bookings b
    JOIN bookings o ON lower(o.guest_name) = lower(b.guest_name) AND o.user_id = guest.referrer_user_id
    WHERE b.id = guest.booking_id;
    IF FOUND THEN
        RETURN 'same_guest';
    END IF;
    PERFORM FROM (
        WITH RECURSIVE above(person, steps) AS (
            SELECT guest.referrer_user_id, 1
            UNION ALL
            SELECT r.referrer_user_id, a.steps + 1 FROM above a JOIN referrals r ON r.referred_user_id = a.person
            WHERE a.steps < 20
        )
        SELECT a.person FROM above a
    ) AS chain WHERE chain.person = guest.referred_user_id;
    IF FOUND THEN
        RETURN 'circular';
    END IF;
    IF (SELECT count(*) FROM referrals r
        WHERE r.referrer_user_id = guest.referrer_user_id
          AND r.joined_at BETWEEN guest.joined_at - interval '12 hours' AND guest.joined_at + interval '12 hours') > a_day THEN
        RETURN 'many_joins';
    END IF;
    RETURN NULL;
END
$$;

-- Grant what stays have earned: the stay is verified and its reward's time has come. What is odd is held for people to
-- decide, and so is a referrer's reward beyond the month's number. One worker at a time, so that the number
-- holds; another finds nothing to do. Returns how many invitations were settled.
CREATE FUNCTION app.mature_referrals(moment timestamptz, most integer DEFAULT 200) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    terms referral_terms;
    guest referrals;
    doubt text;
    granted_now integer;
    settled integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('rahhal.mature_referrals', 0)) THEN
        RETURN 0;
    END IF;
    terms := app.current_terms();
    FOR guest IN
        SELECT r.* FROM referrals r
        JOIN bookings b ON b.id = r.booking_id AND b.verified_at IS NOT NULL
        WHERE r.status = 'booked' AND r.id IN (
            SELECT w.referral_id FROM rewards w WHERE w.status = 'pending' AND w.matures_at <= moment)
        ORDER BY r.id
        LIMIT most
        FOR NO KEY UPDATE OF r SKIP LOCKED -- a booking that is being changed right now comes next time
    LOOP
        doubt := app.doubt_referral(guest, terms.most_joins_a_day);
        UPDATE referrals SET status = 'matured', matured_at = moment, reason = doubt, updated_at = clock_timestamp()
        WHERE id = guest.id;
        SELECT count(*) INTO granted_now FROM rewards w
        WHERE w.user_id = guest.referrer_user_id AND w.kind = 'referrer' AND w.status = 'granted'
          AND w.granted_at >= date_trunc('month', moment, 'UTC')
          AND w.granted_at < date_trunc('month', moment, 'UTC') + interval '1 month';
        UPDATE rewards w SET status = 'held', updated_at = clock_timestamp(),
            reason = CASE WHEN doubt IS NULL THEN 'monthly_cap' ELSE doubt END
        WHERE w.referral_id = guest.id AND w.status = 'pending'
          AND (doubt IS NOT NULL OR w.kind = 'referrer' AND granted_now >= terms.most_rewards_a_month);
        UPDATE rewards w SET status = 'granted', granted_at = moment, updated_at = clock_timestamp()
        WHERE w.referral_id = guest.id AND w.status = 'pending';
        PERFORM app.close_referral(guest.id, moment);
        settled := settled + 1;
    END LOOP;
    RETURN settled;
END
$$;

-- Nothing of a matured invitation is open any more: it is rewarded, or void when nothing was granted.
CREATE FUNCTION app.close_referral(guest uuid, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM rewards w WHERE w.referral_id = guest AND w.status IN ('pending', 'held');
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM rewards w WHERE w.referral_id = guest AND w.status = 'granted';
    UPDATE referrals SET status = CASE WHEN FOUND THEN 'rewarded' ELSE 'void' END,
        rewarded_at = CASE WHEN FOUND THEN moment END, reason = CASE WHEN NOT FOUND THEN coalesce(reason, 'refused') END,
        updated_at = clock_timestamp()
    WHERE id = guest AND status = 'matured';
END
$$;

-- The operator's word on what is held. Returns how many rewards it was about.
CREATE FUNCTION app.decide_referral(guest uuid, grant_them boolean, moment timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    decided integer;
BEGIN
    PERFORM FROM referrals r WHERE r.id = guest FOR NO KEY UPDATE;
    UPDATE rewards w SET status = CASE WHEN grant_them THEN 'granted' ELSE 'void' END,
        granted_at = CASE WHEN grant_them THEN moment END, reason = CASE WHEN NOT grant_them THEN w.reason END,
        updated_at = clock_timestamp()
    WHERE w.referral_id = guest AND w.status = 'held';
    GET DIAGNOSTICS decided = ROW_COUNT;
    PERFORM app.close_referral(guest, moment);
    RETURN decided;
END
$$;

-- ------------------------------------------------------------------------------------------------ when people change

-- Two identities turn out to be one person: she cannot have invited herself, nor have been invited twice.
CREATE FUNCTION app.settle_merged_referral() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM referrals r WHERE r.referred_user_id = NEW.referred_user_id AND r.id <> NEW.id;
    IF NOT FOUND AND (NEW.referrer_user_id = NEW.referred_user_id) IS NOT TRUE THEN
        RETURN NEW;
    END IF;
    NEW.status := 'void';
    NEW.reason := CASE WHEN NEW.referrer_user_id = NEW.referred_user_id THEN 'self' ELSE 'merged' END;
    NEW.referred_user_id := NULL;
    NEW.updated_at := clock_timestamp();
    UPDATE rewards SET status = 'void', reason = NEW.reason, updated_at = clock_timestamp()
    WHERE referral_id = NEW.id AND status <> 'void';
    RETURN NEW;
END
$$;

-- Forget a person: her invitations keep their counts, and nobody can tell whose they were. Returns how many rows.
CREATE FUNCTION app.erase_referrals(person uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    moment CONSTANT timestamptz := clock_timestamp();
    touched integer;
    total integer;
BEGIN
    UPDATE rewards SET user_id = NULL, erased_at = moment, updated_at = moment, booking_id = NULL,
        status = CASE WHEN status IN ('pending', 'held') THEN 'void' ELSE status END,
        reason = CASE WHEN status IN ('pending', 'held') THEN 'erased' ELSE reason END
    WHERE user_id = person;
    GET DIAGNOSTICS total = ROW_COUNT;
    UPDATE rewards w SET booking_id = NULL, updated_at = moment -- of the other side, for her stay
    FROM referrals r WHERE r.id = w.referral_id AND r.referred_user_id = person;
    UPDATE referrals SET erased_at = moment, updated_at = moment,
        referrer_user_id = CASE WHEN referrer_user_id <> person THEN referrer_user_id END,
        referred_user_id = CASE WHEN referred_user_id <> person THEN referred_user_id END,
        booking_id = CASE WHEN referred_user_id = person THEN NULL ELSE booking_id END,
        status = CASE WHEN status = 'link' THEN 'void' ELSE status END,
        reason = CASE WHEN status = 'link' THEN 'erased' ELSE reason END
    WHERE referrer_user_id = person OR referred_user_id = person;
    GET DIAGNOSTICS touched = ROW_COUNT;
    total := total + touched;
    UPDATE shared_content SET user_id = NULL, content_id = NULL, content_data = '{}', erased_at = moment, updated_at = moment
    WHERE user_id = person;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RETURN total + touched;
END
$$;

-- ------------------------------------------------------------------------------------------------ counting

-- Add up the clicks since last time and the first bookings of what was shared; forget visitors after 90 days. One worker at
-- a time. Returns how many clicks were counted.
CREATE FUNCTION app.count_links(most integer DEFAULT 50000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    clicks_by_code jsonb;
    counted_now integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('rahhal.count_links', 0)) THEN
        RETURN 0;
    END IF;
    WITH taken AS (
        UPDATE link_clicks c SET counted = true
        FROM (SELECT k.code, k.visitor FROM link_clicks k WHERE NOT k.counted ORDER BY k.code LIMIT most) AS k
        WHERE c.code = k.code AND c.visitor = k.visitor
        RETURNING c.code
    ), sums AS (
        SELECT t.code, count(*) AS visitors FROM taken t GROUP BY t.code
    )
    SELECT jsonb_object_agg(s.code, s.visitors), sum(s.visitors) INTO clicks_by_code, counted_now FROM sums s;
    UPDATE referrals r SET clicks = r.clicks + s.visitors::bigint, updated_at = clock_timestamp()
    FROM jsonb_each_text(clicks_by_code) AS s(code, visitors) WHERE r.referral_code = s.code;
    UPDATE shared_content c SET click_count = c.click_count + s.visitors::bigint, updated_at = clock_timestamp()
    FROM jsonb_each_text(clicks_by_code) AS s(code, visitors) WHERE c.code = s.code;
    UPDATE shared_content c SET conversions = b.brought, updated_at = clock_timestamp()
    FROM (
        SELECT r.shared_content_id AS id, count(*) FILTER (WHERE r.booked_at IS NOT NULL AND r.status <> 'void') AS brought
        FROM referrals r WHERE r.shared_content_id IS NOT NULL GROUP BY r.shared_content_id
    ) AS b
    WHERE c.id = b.id AND c.conversions <> b.brought;
    DELETE FROM link_clicks WHERE at < now() - interval '90 days' AND counted;
    RETURN coalesce(counted_now, 0);
END
$$;

-- K = i × c: i, the people who came by invitation for each traveler there is; c, the share of them who made a first booking
-- that stands. Their product is the number of bookers brought in, for each traveler: of one person (i of her alone), or of
-- everybody (NULL) but synthetic travelers, where erased people still count among those brought.
CREATE FUNCTION app.k_factor(person uuid DEFAULT NULL) RETURNS numeric
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    travelers numeric := 1;
    came numeric;
    booked numeric;
BEGIN
    IF person IS NULL THEN
        SELECT count(*) INTO travelers FROM users u WHERE u.account_status = 'active' AND NOT u.demo;
    END IF;
    SELECT count(*), count(*) FILTER (WHERE r.booked_at IS NOT NULL) INTO came, booked FROM referrals r
    WHERE r.joined_at IS NOT NULL AND r.status <> 'void' AND (person IS NULL OR r.referrer_user_id = person);
    RETURN CASE WHEN came = 0 OR travelers = 0 THEN 0 ELSE round(came / travelers * (booked / came), 4) END;
END
$$;

GRANT EXECUTE ON FUNCTION
    app.referral_link(text, text), app.share(text, text, jsonb, text), app.open_link(text, bytea),
    app.attribute_referral(text, text, timestamptz)
TO rahhal_app;
GRANT EXECUTE ON FUNCTION app.mature_referrals(timestamptz, integer), app.count_links(integer), app.k_factor(uuid)
TO rahhal_worker;
GRANT EXECUTE ON FUNCTION
    app.publish_terms(bigint, bigint, bigint, char, integer, integer), app.decide_referral(uuid, boolean, timestamptz),
    app.erase_referrals(uuid), app.k_factor(uuid), app.follow_booking(), app.settle_merged_referral()
TO rahhal_owner;
GRANT EXECUTE ON FUNCTION app.k_factor(uuid) TO rahhal_analytics;

SET LOCAL ROLE rahhal_owner;

CREATE TRIGGER invitation AFTER UPDATE OF status, check_out ON bookings
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.check_out <> NEW.check_out)
    EXECUTE FUNCTION app.follow_booking();
CREATE TRIGGER one_person BEFORE UPDATE OF referrer_user_id, referred_user_id ON referrals
    FOR EACH ROW WHEN (NEW.referred_user_id IS NOT NULL AND
                       (NEW.referrer_user_id, NEW.referred_user_id) IS DISTINCT FROM (OLD.referrer_user_id, OLD.referred_user_id))
    EXECUTE FUNCTION app.settle_merged_referral();

-- The seeds' name for it, for the house and for analysts.
CREATE FUNCTION public.calculate_k_factor(person uuid DEFAULT NULL) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = '' AS 'SELECT app.k_factor(person)';
REVOKE EXECUTE ON FUNCTION public.calculate_k_factor(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.calculate_k_factor(uuid) TO rahhal_service, rahhal_worker, rahhal_analytics;

RESET ROLE;
