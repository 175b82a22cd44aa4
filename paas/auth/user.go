package auth

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

var userName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._@+-]{0,63}$`)

func checkRole(r paas.Role) error {
	if !r.Known() {
		return &paas.Invalid{Reason: fmt.Sprintf("%q is not a role: use operator, owner, developer or viewer", r)}
	}
	return nil
}

// CreateUser makes a person of u's tenant and role who signs in with password.
// Names are unique on the platform.
func (a *Auth) CreateUser(ctx context.Context, u paas.User, password string) (paas.User, error) {
	if !userName.MatchString(u.Name) {
		return paas.User{}, &paas.Invalid{Reason: fmt.Sprintf(
			"%q cannot be the name of a user: use 1 to 64 letters, digits and . _ @ + -, starting with a letter or digit", u.Name)}
	}
	if err := checkRole(u.Role); err != nil {
		return paas.User{}, err
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return paas.User{}, err
	}
	return insertUser(ctx, a.pool, u, hash)
}

func insertUser(ctx context.Context, q querier, u paas.User, hash string) (paas.User, error) {
	rows, err := q.Query(ctx, `INSERT INTO users (name, tenant, role, password_hash) VALUES ($1, $2, $3, $4)
		RETURNING name, tenant, role, created_at`, u.Name, u.Tenant, string(u.Role), hash)
	if err != nil {
		return paas.User{}, meaning(err, "user "+u.Name)
	}
	stored, err := pgx.CollectExactlyOneRow(rows, scanUser)
	return stored, meaning(err, "user "+u.Name)
}

func scanUser(row pgx.CollectableRow) (u paas.User, err error) {
	err = row.Scan(&u.Name, &u.Tenant, &u.Role, &u.CreatedAt)
	return u, err
}

// Users returns the people of a tenant by name.
func (a *Auth) Users(ctx context.Context, tenant string) ([]paas.User, error) {
	rows, err := a.pool.Query(ctx, `SELECT name, tenant, role, created_at FROM users WHERE tenant = $1 ORDER BY name`, tenant)
	if err != nil {
		return nil, meaning(err, "users of tenant "+tenant)
	}
	users, err := pgx.AppendRows([]paas.User{}, rows, scanUser)
	return users, meaning(err, "users of tenant "+tenant)
}

// User returns one person of a tenant, or paas.ErrNotFound.
func (a *Auth) User(ctx context.Context, tenant, name string) (paas.User, error) {
	var u paas.User
	err := a.pool.QueryRow(ctx, `SELECT name, tenant, role, created_at FROM users WHERE tenant = $1 AND name = $2`,
		tenant, clean(name)).Scan(&u.Name, &u.Tenant, &u.Role, &u.CreatedAt)
	return u, meaning(err, "user "+name)
}

// DeleteUser removes a person with their sessions and the tokens they made. It
// returns paas.ErrConflict for the last operator.
func (a *Auth) DeleteUser(ctx context.Context, tenant, name string) error {
	err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		// Locked, so that two operators cannot delete each other at once.
		rows, err := tx.Query(ctx, `SELECT name FROM users WHERE role = 'operator' ORDER BY name FOR UPDATE`)
		if err != nil {
			return err
		}
		operators, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if len(operators) == 1 && operators[0] == name {
			return fmt.Errorf("%s is the last operator; make another one first: %w", name, paas.ErrConflict)
		}
		if err := touched(tx.Exec(ctx, `DELETE FROM users WHERE tenant = $1 AND name = $2`, tenant, clean(name))); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM tokens WHERE tenant = $1 AND created_by = $2`, tenant, clean(name))
		return err
	})
	return meaning(err, "user "+name)
}
