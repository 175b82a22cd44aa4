package paas

import "context"

type tenantKey struct{}

// ForTenant returns a context in which the work is on behalf of tenant: the
// API's queries with it see the tenant's rows and no others.
func ForTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantOf returns the tenant of ForTenant, empty where there is none.
func TenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}
