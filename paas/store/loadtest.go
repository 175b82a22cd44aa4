package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// keptLoadTests is how many load tests of an app are kept, the newest.
const keptLoadTests = 20

func scanLoadTest(row pgx.CollectableRow) (paas.LoadTest, error) {
	var t paas.LoadTest
	var id int64
	var state string
	var told []byte
	var report json.RawMessage
	if err := row.Scan(&id, &state, &told, &report); err != nil {
		return t, err
	}
	if err := json.Unmarshal(told, &t); err != nil {
		return t, fmt.Errorf("load test %d: %w", id, err)
	}
	t.ID, t.State, t.Report = id, state, report
	return t, nil
}

// AddLoadTest keeps a load test of an app that begins, and forgets the oldest
// ones beyond 20. It returns paas.ErrNotFound for an app that does not exist.
func (s *Store) AddLoadTest(ctx context.Context, tenant, app string, t paas.LoadTest) (id int64, err error) {
	told, err := json.Marshal(t)
	if err != nil {
		return 0, err
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO load_tests (tenant, app, state, told) VALUES ($1, $2, $3, $4) RETURNING id`, tenant, app, t.State, told).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM load_tests WHERE tenant = $1 AND app = $2 AND id <=
			(SELECT id FROM load_tests WHERE tenant = $1 AND app = $2 ORDER BY id DESC OFFSET $3 LIMIT 1)`, tenant, app, keptLoadTests)
		return err
	})
	return id, meaning(err, appName(tenant, app))
}

// EndLoadTest keeps what came of a load test.
func (s *Store) EndLoadTest(ctx context.Context, tenant, app string, t paas.LoadTest) error {
	report := t.Report
	t.Report, t.Series = nil, nil
	told, err := json.Marshal(t)
	if err == nil {
		err = touched(s.pool.Exec(ctx, `UPDATE load_tests SET state = $4, told = $5, report = $6 WHERE tenant = $1 AND app = $2 AND id = $3`,
			tenant, app, t.ID, t.State, told, report))
	}
	return meaning(err, fmt.Sprintf("load test %d of %s", t.ID, appName(tenant, app)))
}

// EndLostLoadTests marks as stopped what a role that was killed had under way,
// of all tenants.
func (s *Store) EndLostLoadTests(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `UPDATE load_tests SET state = $1 WHERE state = $2`, paas.LoadTestStopped, paas.LoadTestRunning)
	return err
}

// LoadTests returns the load tests of an app, newest first, without reports.
func (s *Store) LoadTests(ctx context.Context, tenant, app string) ([]paas.LoadTest, error) {
	found, err := all(ctx, s.pool, scanLoadTest, `SELECT id, state, told, NULL::json FROM load_tests WHERE tenant = $1 AND app = $2 ORDER BY id DESC`, tenant, app)
	return found, meaning(err, "load tests of "+appName(tenant, app))
}

// LoadTest returns one load test of an app with its report, or paas.ErrNotFound.
func (s *Store) LoadTest(ctx context.Context, tenant, app string, id int64) (paas.LoadTest, error) {
	t, err := one(ctx, s.pool, scanLoadTest, `SELECT id, state, told, report FROM load_tests WHERE tenant = $1 AND app = $2 AND id = $3`, tenant, app, id)
	return t, meaning(err, fmt.Sprintf("load test %d of %s", id, appName(tenant, app)))
}
