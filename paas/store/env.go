package store

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Env returns the settings of an app, or paas.ErrNotFound.
func (s *Store) Env(ctx context.Context, tenant, app string) (map[string]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT e.key, e.value FROM apps a
		LEFT JOIN app_env e ON e.tenant = a.tenant AND e.app = a.name
		WHERE a.tenant = $1 AND a.name = $2`, tenant, app)
	if err != nil {
		return nil, meaning(err, appName(tenant, app))
	}
	vars, found := map[string]string{}, false
	var key, value *string
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		found = true
		if key != nil {
			vars[*key] = *value
		}
		return nil
	})
	if err == nil && !found {
		err = pgx.ErrNoRows
	}
	if err == nil {
		err = s.keys.open(tenant, app, vars)
	}
	return vars, meaning(err, "settings of "+appName(tenant, app))
}

// SetEnv replaces the settings of an app. It returns *paas.Invalid for a
// variable that cannot be set and paas.ErrNotFound for an app that does not
// exist. Replicas that run keep the settings of their release.
func (s *Store) SetEnv(ctx context.Context, tenant, app string, vars map[string]string) error {
	if err := paas.CheckEnv(vars); err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(vars))
	hidden := s.keys.seal(tenant, app, vars)
	values := make([]string, len(keys))
	for i, key := range keys {
		values[i] = hidden[key]
	}
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		if err := touched(tx.Exec(ctx, `UPDATE apps SET updated_at = now() WHERE tenant = $1 AND name = $2`,
			tenant, app)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM app_env WHERE tenant = $1 AND app = $2`, tenant, app); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO app_env (tenant, app, key, value)
			SELECT $1, $2, * FROM unnest($3::text[], $4::text[])`, tenant, app, keys, values)
		return err
	})
	return meaning(err, "settings of "+appName(tenant, app))
}
