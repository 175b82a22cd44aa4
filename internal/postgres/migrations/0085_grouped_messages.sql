-- +goose Up
-- Messages with the same grp that wait at the same time leave as one: the first has the text of all, the others have the
-- state grouped and name it as their lead. view is what a message shows, as JSON, while it may still be joined.
ALTER TABLE notifications ADD COLUMN grp text, ADD COLUMN lead uuid, ADD COLUMN view text;
CREATE INDEX notifications_grp ON notifications (grp, created_at DESC) WHERE grp IS NOT NULL;

-- +goose Down
DROP INDEX notifications_grp;
DELETE FROM notifications WHERE state = 'grouped';
ALTER TABLE notifications DROP COLUMN grp, DROP COLUMN lead, DROP COLUMN view;
