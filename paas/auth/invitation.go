package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

const invitationColumns = `id::text, tenant, email, role, created_by, created_at, expires_at, accepted_at, accepted_by`

func scanInvitation(row pgx.CollectableRow) (i paas.Invitation, err error) {
	err = row.Scan(&i.ID, &i.Tenant, &i.Email, &i.Role, &i.CreatedBy, &i.CreatedAt, &i.ExpiresAt, &i.AcceptedAt, &i.AcceptedBy)
	return i, err
}

// Invite makes an invitation with i's tenant, role, creator and address, and
// returns it with its link, which cannot be read again. With an address it is
// also queued as a mail. It is valid for console.invite_age unless i.ExpiresAt
// says otherwise. Errors: *paas.Invalid, paas.ErrNotFound for the tenant.
func (a *Auth) Invite(ctx context.Context, i paas.Invitation) (paas.Invitation, string, error) {
	if err := checkRole(i.Role); err != nil {
		return paas.Invitation{}, "", err
	}
	if _, err := mail.ParseAddress(i.Email); i.Email != "" && (err != nil || strings.ContainsAny(i.Email, "<> ")) {
		return paas.Invitation{}, "", &paas.Invalid{Reason: fmt.Sprintf("%q is not an e-mail address: write it as ann@example.org, or leave it out and hand the link over yourself.", i.Email)}
	}
	if i.ExpiresAt.IsZero() {
		i.ExpiresAt = time.Now().Add(a.cfg.InviteAge)
	}
	token := secret()
	link := strings.TrimSuffix(a.cfg.URL, "/") + "/#/join/" + token
	var stored paas.Invitation
	err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `INSERT INTO invitations (id, hash, tenant, email, role, created_by, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING `+invitationColumns,
			uuid.New(), digest(token), i.Tenant, i.Email, string(i.Role), i.CreatedBy, i.ExpiresAt)
		if err != nil {
			return err
		}
		if stored, err = pgx.CollectExactlyOneRow(rows, scanInvitation); err != nil || i.Email == "" {
			return err
		}
		return queueInvitation(ctx, tx, stored, link)
	})
	return stored, link, meaning(err, "tenant "+i.Tenant)
}

// queueInvitation leaves the mail to the alert role, which delivers them all.
func queueInvitation(ctx context.Context, tx pgx.Tx, i paas.Invitation, link string) error {
	subject := fmt.Sprintf("%s invites you to %s on Kurama", i.CreatedBy, i.Tenant)
	until := i.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")
	text := fmt.Sprintf("%s invites you to tenant %s on Kurama as %s.\n\nChoose a name and a password here:\n%s\n\n"+
		"The link works once, until %s. If you do not know %s, do nothing.\n", i.CreatedBy, i.Tenant, i.Role, link, until, i.CreatedBy)
	// Names, roles and links hold nothing that HTML would read as its own.
	html := fmt.Sprintf("<p>%s invites you to tenant <b>%s</b> on Kurama as %s.</p><p><a href=\"%s\">Choose a name and a password</a></p>"+
		"<p>The link works once, until %s. If you do not know %s, do nothing.</p>", i.CreatedBy, i.Tenant, i.Role, link, until, i.CreatedBy)
	_, err := tx.Exec(ctx, `INSERT INTO notifications (id, tenant, app, kind, recipient, subject, body_text, body_html)
		VALUES ($1, $2, '', 'invitation', $3, $4, $5, $6)`, uuid.New(), i.Tenant, i.Email, subject, text, html)
	return err
}

// Invitations returns a tenant's invitations, newest first.
func (a *Auth) Invitations(ctx context.Context, tenant string) ([]paas.Invitation, error) {
	rows, err := a.pool.Query(ctx, `SELECT `+invitationColumns+` FROM invitations WHERE tenant = $1 ORDER BY created_at DESC LIMIT 500`, tenant)
	if err != nil {
		return nil, meaning(err, "invitations of tenant "+tenant)
	}
	list, err := pgx.AppendRows([]paas.Invitation{}, rows, scanInvitation)
	return list, meaning(err, "invitations of tenant "+tenant)
}

// DeleteInvitation takes an invitation back. Who has accepted it stays.
func (a *Auth) DeleteInvitation(ctx context.Context, tenant, id string) error {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return fmt.Errorf("invitation %s: %w", id, paas.ErrNotFound)
	}
	return meaning(touched(a.pool.Exec(ctx, `DELETE FROM invitations WHERE tenant = $1 AND id = $2`, tenant, parsed)), "invitation "+id)
}

// errInvitation is the same for one that never was and one that is no more.
var errInvitation = &paas.Invalid{Reason: "The invitation is unknown, was used already, or has expired. Ask whoever sent it for a new one."}

const openInvitation = `SELECT ` + invitationColumns + ` FROM invitations WHERE hash = $1 AND accepted_at IS NULL AND expires_at > now()`

// Invitation returns the open invitation that token is for, or *paas.Invalid.
func (a *Auth) Invitation(ctx context.Context, token string) (paas.Invitation, error) {
	return invitationOf(ctx, a.pool, openInvitation, token)
}

func invitationOf(ctx context.Context, q querier, sql, token string) (paas.Invitation, error) {
	rows, err := q.Query(ctx, sql, digest(token))
	if err != nil {
		return paas.Invitation{}, meaning(err, "invitation")
	}
	i, err := pgx.CollectExactlyOneRow(rows, scanInvitation)
	if errors.Is(err, pgx.ErrNoRows) {
		return paas.Invitation{}, errInvitation
	}
	return i, meaning(err, "invitation")
}

// Accept makes the person that an invitation is for, under the name and the
// password that they choose, and signs them in. Errors: *paas.Invalid;
// paas.ErrExists for the name; *paas.Throttled for an address that fails too
// often.
func (a *Auth) Accept(w http.ResponseWriter, r *http.Request, token, name, password string) (Identity, error) {
	ctx := r.Context()
	attempt, err := a.throttle.begin(ctx, a.address(r), "")
	if err != nil {
		return Identity{}, err
	}
	if _, err := a.Invitation(ctx, token); err != nil {
		return Identity{}, err // before the password costs anything
	}
	if err := checkUserName(name); err != nil {
		return Identity{}, err
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return Identity{}, err
	}
	u, err := a.join(ctx, token, name, hash)
	if err != nil {
		return Identity{}, err
	}
	attempt.succeeded()
	id := Identity{Tenant: u.Tenant, User: u.Name, Role: u.Role, ViaCookie: true, CSRF: secret()}
	return id, a.startSession(ctx, w, r, id)
}

// join turns an invitation into a user, once. The invitation's address is not
// theirs: who holds the link is not who reads the mail, and the inviter has
// the link too.
func (a *Auth) join(ctx context.Context, token, name, hash string) (u paas.User, err error) {
	err = pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		i, err := invitationOf(ctx, tx, openInvitation+` FOR UPDATE`, token)
		if err != nil {
			return err
		}
		u, err = insertUser(ctx, tx, paas.User{Name: name, Tenant: i.Tenant, Role: i.Role}, hash)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE invitations SET accepted_at = now(), accepted_by = $2 WHERE id::text = $1`, i.ID, u.Name)
		return err
	})
	return u, err
}
