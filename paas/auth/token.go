package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// tokenPrefix makes a token recognisable in a log or a repository.
const tokenPrefix = "kt_"

const tokenColumns = `id::text, tenant, name, role, scopes, app, created_by, created_at, expires_at, used_at`

func scanToken(row pgx.CollectableRow) (t paas.Token, err error) {
	err = row.Scan(&t.ID, &t.Tenant, &t.Name, &t.Role, &t.Scopes, &t.App, &t.CreatedBy, &t.CreatedAt, &t.ExpiresAt, &t.UsedAt)
	return t, err
}

func (a *Auth) byToken(ctx context.Context, token string) (Identity, error) {
	var id Identity
	var tokenID uuid.UUID
	var used *time.Time
	err := a.pool.QueryRow(ctx, `SELECT id, name, tenant, created_by, role, scopes, app, used_at FROM tokens
		WHERE hash = $1 AND (expires_at IS NULL OR expires_at > now())`, digest(token)).
		Scan(&tokenID, &id.Token, &id.Tenant, &id.User, &id.Role, &id.Scopes, &id.App, &used)
	if errors.Is(err, pgx.ErrNoRows) {
		return Identity{}, fmt.Errorf("The token is unknown, or has expired: %w", paas.ErrDenied)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("looking up a token: %w", err)
	}
	// Once a minute is enough to show whether a token is in use.
	if used == nil || time.Since(*used) > time.Minute {
		if _, err := a.pool.Exec(ctx, `UPDATE tokens SET used_at = now() WHERE id = $1`, tokenID); err != nil {
			return Identity{}, fmt.Errorf("noting the use of a token: %w", err)
		}
	}
	return id, nil
}

// CreateToken makes a token with t's tenant, name, role, creator and expiry,
// and returns it with its secret, which cannot be read again.
func (a *Auth) CreateToken(ctx context.Context, t paas.Token) (paas.Token, string, error) {
	if t.Name == "" || len(t.Name) > 100 {
		return paas.Token{}, "", &paas.Invalid{Reason: "A token needs a name of 1 to 100 characters, so that it can be told from others."}
	}
	if err := checkRole(t.Role); err != nil {
		return paas.Token{}, "", err
	}
	for _, s := range t.Scopes {
		if !s.Known() {
			return paas.Token{}, "", &paas.Invalid{Reason: fmt.Sprintf("%q is not a scope: use read, deploy, env, run or live.", s)}
		}
	}
	if t.ExpiresAt != nil && t.ExpiresAt.Before(time.Now()) {
		return paas.Token{}, "", &paas.Invalid{Reason: "The token would have expired already: give a time to come."}
	}
	return insertToken(ctx, a.pool, t)
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func insertToken(ctx context.Context, q querier, t paas.Token) (paas.Token, string, error) {
	token := tokenPrefix + secret()
	scopes := append([]paas.Scope{}, t.Scopes...) // never NULL
	rows, err := q.Query(ctx, `INSERT INTO tokens (id, hash, tenant, name, role, created_by, expires_at, scopes, app)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING `+tokenColumns,
		uuid.New(), digest(token), t.Tenant, clean(t.Name), string(t.Role), t.CreatedBy, t.ExpiresAt, scopes, t.App)
	if err != nil {
		return paas.Token{}, "", meaning(err, "token "+t.Name)
	}
	stored, err := pgx.CollectExactlyOneRow(rows, scanToken)
	return stored, token, meaning(err, "tenant "+t.Tenant)
}

// Tokens returns a tenant's tokens, newest first; creator narrows them to one
// person's, unless it is empty.
func (a *Auth) Tokens(ctx context.Context, tenant, creator string) ([]paas.Token, error) {
	rows, err := a.pool.Query(ctx, `SELECT `+tokenColumns+` FROM tokens
		WHERE tenant = $1 AND ($2 = '' OR created_by = $2) ORDER BY created_at DESC`, tenant, creator)
	if err != nil {
		return nil, meaning(err, "tokens of tenant "+tenant)
	}
	tokens, err := pgx.AppendRows([]paas.Token{}, rows, scanToken)
	return tokens, meaning(err, "tokens of tenant "+tenant)
}

// DeleteToken takes a token back; creator narrows it as in Tokens.
func (a *Auth) DeleteToken(ctx context.Context, tenant, id, creator string) error {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return fmt.Errorf("token %s: %w", id, paas.ErrNotFound)
	}
	err = touched(a.pool.Exec(ctx, `DELETE FROM tokens
		WHERE tenant = $1 AND id = $2 AND ($3 = '' OR created_by = $3)`, tenant, parsed, creator))
	return meaning(err, "token "+id)
}
