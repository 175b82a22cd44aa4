package auth

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
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

func checkUserName(name string) error {
	if !userName.MatchString(name) {
		return &paas.Invalid{Reason: fmt.Sprintf(
			"%q cannot be the name of a user: use 1 to 64 letters, digits and . _ @ + -, starting with a letter or digit", name)}
	}
	return nil
}

// CreateUser makes a person of u's tenant and role who signs in with password.
// Names are unique on the platform.
func (a *Auth) CreateUser(ctx context.Context, u paas.User, password string) (paas.User, error) {
	if err := checkUserName(u.Name); err != nil {
		return paas.User{}, err
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

const userColumns = `name, tenant, role, email, created_at`

func insertUser(ctx context.Context, q querier, u paas.User, hash string) (paas.User, error) {
	rows, err := q.Query(ctx, `INSERT INTO users (name, tenant, role, password_hash, email) VALUES ($1, $2, $3, $4, $5)
		RETURNING `+userColumns, u.Name, u.Tenant, string(u.Role), hash, u.Email)
	if err != nil {
		return paas.User{}, meaning(err, "user "+u.Name)
	}
	stored, err := pgx.CollectExactlyOneRow(rows, scanUser)
	return stored, meaning(err, "user "+u.Name)
}

func scanUser(row pgx.CollectableRow) (u paas.User, err error) {
	err = row.Scan(&u.Name, &u.Tenant, &u.Role, &u.Email, &u.CreatedAt)
	return u, err
}

// Users returns the people of a tenant by name.
func (a *Auth) Users(ctx context.Context, tenant string) ([]paas.User, error) {
	rows, err := a.pool.Query(ctx, `SELECT `+userColumns+` FROM users WHERE tenant = $1 ORDER BY name`, tenant)
	if err != nil {
		return nil, meaning(err, "users of tenant "+tenant)
	}
	users, err := pgx.AppendRows([]paas.User{}, rows, scanUser)
	return users, meaning(err, "users of tenant "+tenant)
}

// User returns one person of a tenant, or paas.ErrNotFound.
func (a *Auth) User(ctx context.Context, tenant, name string) (paas.User, error) {
	rows, err := a.pool.Query(ctx, `SELECT `+userColumns+` FROM users WHERE tenant = $1 AND name = $2`, tenant, clean(name))
	if err != nil {
		return paas.User{}, meaning(err, "user "+name)
	}
	u, err := pgx.CollectExactlyOneRow(rows, scanUser)
	return u, meaning(err, "user "+name)
}

// DeleteUser removes a person with their sessions and the tokens and open
// invitations that they made, in whichever tenant. It returns paas.ErrConflict
// for the last operator.
func (a *Auth) DeleteUser(ctx context.Context, tenant, name string) error {
	err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		if err := keepOperator(ctx, tx, name); err != nil {
			return err
		}
		if err := touched(tx.Exec(ctx, `DELETE FROM users WHERE tenant = $1 AND name = $2`, tenant, clean(name))); err != nil {
			return err
		}
		return takeBack(ctx, tx, paas.User{Name: clean(name), Tenant: tenant})
	})
	return meaning(err, "user "+name)
}

// keepOperator returns paas.ErrConflict where name is the last operator.
func keepOperator(ctx context.Context, tx pgx.Tx, name string) error {
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
	return nil
}

// SetRole gives a person of a tenant another role. The tokens and the open
// invitations that they made and that may more are taken back with it. It
// returns paas.ErrConflict for the last operator.
func (a *Auth) SetRole(ctx context.Context, tenant, name string, role paas.Role) (u paas.User, err error) {
	if err := checkRole(role); err != nil {
		return paas.User{}, err
	}
	err = pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		if role != paas.RoleOperator {
			if err := keepOperator(ctx, tx, name); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, `UPDATE users SET role = $3 WHERE tenant = $1 AND name = $2 RETURNING `+userColumns, tenant, clean(name), string(role))
		if err != nil {
			return err
		}
		if u, err = pgx.CollectExactlyOneRow(rows, scanUser); err != nil {
			return err
		}
		return takeBack(ctx, tx, u)
	})
	return u, meaning(err, "user "+name)
}

// SetPassword changes the password of the person who is signed in with r, who
// has to know the old one, and ends their other sessions. Errors: *paas.Invalid.
func (a *Auth) SetPassword(r *http.Request, id Identity, before, after string) error {
	ctx := r.Context()
	var hash string
	err := a.pool.QueryRow(ctx, `SELECT password_hash FROM users WHERE tenant = $1 AND name = $2`, id.Tenant, id.User).Scan(&hash)
	if err != nil {
		return meaning(err, "user "+id.User)
	}
	attempt, err := a.throttle.begin(ctx, a.address(r), id.User)
	if err != nil {
		return err
	}
	if right, err := checkPassword(ctx, hash, before); err != nil || !right {
		return cmp.Or(err, error(&paas.Invalid{Reason: "The old password is wrong. The password is as it was."}))
	}
	attempt.succeeded()
	if hash, err = hashPassword(ctx, after); err != nil {
		return err
	}
	mine := [][]byte{}
	for _, c := range r.CookiesNamed(CookieName) {
		mine = append(mine, digest(c.Value))
	}
	_, err = a.pool.Exec(ctx, `WITH changed AS (UPDATE users SET password_hash = $2 WHERE name = $1)
		DELETE FROM sessions WHERE user_name = $1 AND NOT hash = ANY($3)`, id.User, hash, mine)
	return meaning(err, "user "+id.User)
}
