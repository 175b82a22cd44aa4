package auth

import (
	"context"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// People are the users of the tenants: they are read and made as the role that
// row-level security binds. Who goes, or may less, is dealt with as the owner
// of the tables, because an operator leaves tokens and invitations in tenants
// other than their own.
type People struct {
	*Auth
	owner *Auth
}

// NewPeople returns the people over an Auth that is bound to the tenant of its
// context, and one that is not.
func NewPeople(bound, owner *Auth) People { return People{bound, owner} }

// DeleteUser is Auth.DeleteUser in all tenants.
func (p People) DeleteUser(ctx context.Context, tenant, name string) error {
	return p.owner.DeleteUser(ctx, tenant, name)
}

// SetRole is Auth.SetRole in all tenants.
func (p People) SetRole(ctx context.Context, tenant, name string, role paas.Role) (paas.User, error) {
	return p.owner.SetRole(ctx, tenant, name, role)
}

// takeBack deletes what u left that may more than they do now: tokens and open
// invitations of the roles above theirs, and all that are in other tenants,
// unless they are an operator. Without a role, everything goes.
func takeBack(ctx context.Context, tx pgx.Tx, u paas.User) error {
	above := []string{}
	for _, r := range []paas.Role{paas.RoleOperator, paas.RoleOwner, paas.RoleDeveloper, paas.RoleViewer} {
		if u.Role == "" || !u.Role.Includes(r) {
			above = append(above, string(r))
		}
	}
	for _, sql := range []string{`DELETE FROM tokens WHERE created_by = $1 AND (role = ANY($2) OR tenant <> $3 AND NOT $4)`,
		`DELETE FROM invitations WHERE created_by = $1 AND accepted_at IS NULL AND (role = ANY($2) OR tenant <> $3 AND NOT $4)`} {
		if _, err := tx.Exec(ctx, sql, u.Name, above, u.Tenant, u.Role == paas.RoleOperator); err != nil {
			return err
		}
	}
	return nil
}
