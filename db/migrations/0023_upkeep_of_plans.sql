-- role: rahhal_owner
-- What the half-hourly next-trip job reads of all travelers: verified stays by arrival. And a promise of 0008, held from now on
-- for what was there before it too.

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bookings_verified ON bookings (check_in) WHERE verified_at IS NOT NULL;

ALTER TABLE users VALIDATE CONSTRAINT users_merged;
