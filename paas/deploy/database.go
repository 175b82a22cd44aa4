package deploy

import (
	"context"
	"errors"
	"maps"

	"kurama/paas"
)

// addDatabase gives a container the way to its app's database. It is asked for
// each time, so that an older release that is rolled back to signs in as the
// newest does. A setting of the app's own of that name comes first.
func (d *Deployer) addDatabase(ctx context.Context, spec *paas.Spec) error {
	url, err := d.Databases.DatabaseURL(ctx, spec.Tenant, spec.App)
	if err != nil || url == "" {
		return err
	}
	spec.Postgres = true
	if _, own := spec.Env[paas.DatabaseVariable]; own {
		return nil
	}
	env := maps.Clone(spec.Env)
	if env == nil {
		env = map[string]string{}
	}
	env[paas.DatabaseVariable] = url
	spec.Env = env
	return nil
}

// addDeclaredDatabase makes the database that kurama.yaml asks for, where the
// app has none.
func (d *Deployer) addDeclaredDatabase(ctx context.Context, rel paas.Release) error {
	if !rel.Start.Database {
		return nil
	}
	switch err := d.Databases.AddDatabase(ctx, rel.Tenant, rel.App, 0); {
	case errors.Is(err, paas.ErrExists):
		return nil
	case err != nil:
		return err
	}
	d.say(rel, "database", "Made a Postgres database; its address is in %s.", paas.DatabaseVariable)
	return nil
}
