package auth

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// admit finds the account of somebody whom the provider knows: the one they
// came to before; the one that an invitation makes; the one with their
// e-mail address, where a provider vouches for it and vouched for that
// account's; or a new one in oidc.tenant.
func (p *Provider) admit(ctx context.Context, j journey, c claims) (id Identity, err error) {
	err = pgx.BeginFunc(ctx, p.auth.pool, func(tx pgx.Tx) error {
		u, err := p.linked(ctx, tx, c)
		if errors.Is(err, pgx.ErrNoRows) {
			if u, err = p.newcomer(ctx, tx, j, c); err == nil {
				_, err = tx.Exec(ctx, `INSERT INTO user_identities (issuer, subject, tenant, user_name) VALUES ($1, $2, $3, $4)`, p.cfg.Issuer, c.Subject, u.Tenant, u.Name)
			}
		}
		id = Identity{Tenant: u.Tenant, User: u.Name, Role: u.Role}
		return err
	})
	return id, err
}

const userOfIdentity = `SELECT u.name, u.tenant, u.role, u.email, u.created_at FROM users u JOIN user_identities i ON i.user_name = u.name
	WHERE i.issuer = $1 AND i.subject = $2`

func (p *Provider) linked(ctx context.Context, tx pgx.Tx, c claims) (paas.User, error) {
	rows, err := tx.Query(ctx, userOfIdentity, p.cfg.Issuer, c.Subject)
	if err != nil {
		return paas.User{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanUser)
}

func (p *Provider) newcomer(ctx context.Context, tx pgx.Tx, j journey, c claims) (paas.User, error) {
	if j.Invitation != "" {
		i, err := invitationOf(ctx, tx, openInvitation+` FOR UPDATE`, j.Invitation)
		if err != nil {
			return paas.User{}, err
		}
		if i.Email != "" && !(c.Verified && strings.EqualFold(i.Email, c.Email)) {
			return paas.User{}, fmt.Errorf("The invitation is for %s, and %s does not vouch that this is your address. Sign in there as %s, or ask for an invitation without an address: %w", i.Email, p.cfg.Name, i.Email, paas.ErrDenied)
		}
		u, err := makeAccount(ctx, tx, c, i.Tenant, i.Role)
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE invitations SET accepted_at = now(), accepted_by = $2 WHERE id::text = $1`, i.ID, u.Name)
		}
		return u, err
	}
	if c.Verified && c.Email != "" {
		rows, err := tx.Query(ctx, `SELECT `+userColumns+` FROM users WHERE email_proven AND lower(email) = lower($1)`, c.Email)
		if err != nil {
			return paas.User{}, err
		}
		if found, err := pgx.CollectRows(rows, scanUser); err != nil || len(found) == 1 {
			return append(found, paas.User{})[0], err
		}
	}
	if p.cfg.Tenant == "" {
		return paas.User{}, fmt.Errorf("Nobody here has the account %s. Ask for an invitation, and sign in by its link: %w", short(c.Email+" "+c.Username), paas.ErrDenied)
	}
	return makeAccount(ctx, tx, c, p.cfg.Tenant, paas.Role(p.cfg.Role))
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9._@+-]+`)

// makeAccount makes a user whose password nobody knows, under the name that
// the provider has for them or, where that is taken, with a number after it.
func makeAccount(ctx context.Context, tx pgx.Tx, c claims, tenant string, role paas.Role) (paas.User, error) {
	name := c.Username
	for _, other := range []string{c.Email, "user-" + c.Subject} {
		if name == "" {
			name = other
		}
	}
	name = strings.TrimLeft(notInNames.ReplaceAllString(name, "-"), "._@+-")
	name = name[:min(len(name), 60)]
	if err := checkUserName(name); err != nil {
		return paas.User{}, err
	}
	email := ""
	if c.Verified {
		email = c.Email
	}
	for n := 1; n < 1000; n++ {
		as := name
		if n > 1 {
			as = fmt.Sprintf("%s-%d", name, n)
		}
		rows, err := tx.Query(ctx, `INSERT INTO users (name, tenant, role, password_hash, email, email_proven) VALUES ($1, $2, $3, $4, $5, $5 <> '')
			ON CONFLICT DO NOTHING RETURNING `+userColumns, as, tenant, string(role), nobody, email)
		if err != nil {
			return paas.User{}, meaning(err, "tenant "+tenant)
		}
		u, err := pgx.CollectExactlyOneRow(rows, scanUser)
		if !errors.Is(err, pgx.ErrNoRows) {
			return u, meaning(err, "tenant "+tenant)
		}
	}
	return paas.User{}, fmt.Errorf("user %s: %w", name, paas.ErrExists)
}
