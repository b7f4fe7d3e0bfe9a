-- role: rahhal_owner
-- What else is on record in the audit log (0010): what travelers said of their stays, what was foretold, invitations and what
-- they earned.

SELECT app.audit('booking_outcomes');
SELECT app.audit('trip_predictions');
SELECT app.audit('rewards');

-- Both people of a referral are in its data as ids only. How often a link was opened is counted, not audited.
SELECT app.audit('referrals', 'referrer_user_id', (
    SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = 'referrals'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'clicks'));
