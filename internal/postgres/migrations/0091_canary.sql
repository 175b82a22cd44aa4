-- +goose Up
-- A release that gets a share of the requests beside the live one; its state is canary.
ALTER TABLE apps
  ADD COLUMN canary_release int NOT NULL DEFAULT 0,  -- 0: none
  ADD COLUMN canary_share   int NOT NULL DEFAULT 0;  -- percent

-- +goose Down
ALTER TABLE apps DROP COLUMN canary_release, DROP COLUMN canary_share;
