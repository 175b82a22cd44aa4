package database

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Names and passwords are letters, digits and _ of Kurama's own making, so that
// they can stand in statements as they are.

// connect opens a database of the cluster, and waits for one that is being
// started or made.
func (k *Keeper) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	dsn, err := k.Address(database)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(waiting, dsn)
		if err == nil {
			return conn, nil
		}
		select {
		case <-waiting.Done():
			return nil, fmt.Errorf("the apps' database server does not answer; `kurama up` starts it, and its log is databases.log in the data folder: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// with runs do with a connection to a database of the cluster.
func (k *Keeper) with(ctx context.Context, database string, do func(*pgx.Conn) error) error {
	conn, err := k.connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return do(conn)
}

// maintenance is the database that is there without any app.
const maintenance = "postgres"

// run executes statements one by one.
func run(ctx context.Context, conn *pgx.Conn, statements ...string) error {
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("in the apps' databases: %w", err)
		}
	}
	return nil
}

// ensure executes a statement unless there is a row of the catalog's.
func ensure(ctx context.Context, conn *pgx.Conn, catalog, name, statement string) error {
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (`+catalog+` = $1)`, name).Scan(&there); err != nil || there {
		return err
	}
	return run(ctx, conn, statement)
}

const (
	roleNamed     = `SELECT FROM pg_roles WHERE rolname`
	databaseNamed = `SELECT FROM pg_database WHERE datname`
)

// Provision makes what is missing of a database and its roles. The database
// belongs to the cluster's own user, so that no app can let others in; what is
// in it belongs to the app.
func (k *Keeper) Provision(ctx context.Context, d paas.Database) error {
	if err := k.roles(ctx, d); err != nil {
		return err
	}
	err := k.with(ctx, maintenance, func(conn *pgx.Conn) error {
		if err := ensure(ctx, conn, databaseNamed, d.Name, `CREATE DATABASE `+d.Name); err != nil {
			return err
		}
		return run(ctx, conn, `REVOKE ALL ON DATABASE `+d.Name+` FROM PUBLIC`, `GRANT CONNECT, CREATE, TEMPORARY ON DATABASE `+d.Name+` TO `+d.Name)
	})
	if err != nil {
		return err
	}
	return k.with(ctx, d.Name, func(conn *pgx.Conn) error { return run(ctx, conn, `ALTER SCHEMA public OWNER TO `+d.Name) })
}

// roles makes the owner of what is in a database and the role that the app
// signs in as, or brings them up to date. Whoever signs in becomes the owner at
// once, so that a table made under one password is at hand under the next.
func (k *Keeper) roles(ctx context.Context, d paas.Database) error {
	return k.with(ctx, maintenance, func(conn *pgx.Conn) error {
		login := d.Login()
		if err := ensure(ctx, conn, roleNamed, d.Name, `CREATE ROLE `+d.Name+` NOLOGIN`); err != nil {
			return err
		}
		if err := ensure(ctx, conn, roleNamed, login, `CREATE ROLE `+login+` IN ROLE `+d.Name); err != nil {
			return err
		}
		set := `ALTER ROLE ` + login + ` SET `
		return run(ctx, conn, append(k.bounds(d), `ALTER ROLE `+login+` LOGIN PASSWORD '`+d.Password+`' VALID UNTIL 'infinity'`,
			set+`role = `+d.Name, set+`statement_timeout = `+strconv.FormatInt(k.cfg.StatementTimeout.Milliseconds(), 10),
			set+`idle_in_transaction_session_timeout = '10min'`, set+`temp_file_limit = '256MB'`)...)
	})
}

// bounds are the statements that hold an app to its state.
func (k *Keeper) bounds(d paas.Database) []string {
	conns, readOnly := k.cfg.AppConns, "off"
	if d.State != paas.DatabaseOpen {
		readOnly = "on"
	}
	if d.State == paas.DatabaseClosed {
		conns = 0
	}
	return []string{fmt.Sprintf(`ALTER ROLE %s CONNECTION LIMIT %d`, d.Login(), conns), fmt.Sprintf(`ALTER ROLE %s SET default_transaction_read_only = %s`, d.Login(), readOnly)}
}

// expire lets the password of a role that is not used any more, if it is there,
// end soon.
func (k *Keeper) expire(ctx context.Context, login string) error {
	return k.with(ctx, maintenance, func(conn *pgx.Conn) error {
		var until string
		err := conn.QueryRow(ctx, `SELECT (now() + $2::interval)::text FROM pg_roles WHERE rolname = $1`, login, overlap).Scan(&until)
		if err != nil {
			return fmt.Errorf("role %s: %w", login, err)
		}
		return run(ctx, conn, `ALTER ROLE `+login+` VALID UNTIL '`+until+`'`)
	})
}

// Refill makes a database and has fill put back what it held. It gets an address
// by which it is the app, which may hold functions that run meanwhile, but none
// of the app's bounds; they hold again afterwards.
func (k *Keeper) Refill(ctx context.Context, d paas.Database, fill func(dsn string) error) error {
	open := d
	open.State = paas.DatabaseOpen
	if err := k.Provision(ctx, open); err != nil {
		return err
	}
	err := k.with(ctx, maintenance, func(conn *pgx.Conn) error {
		return run(ctx, conn, `ALTER ROLE `+d.Login()+` SET temp_file_limit = -1`)
	})
	if err == nil {
		u := url.URL{Scheme: "postgresql", User: url.UserPassword(d.Login(), d.Password), Path: "/" + d.Name, RawQuery: url.Values{"host": {k.Socket}}.Encode()}
		err = fill(u.String())
	}
	return errors.Join(err, k.roles(ctx, d))
}

// drop removes a database and its roles; what is not there is no error.
func (k *Keeper) drop(ctx context.Context, d paas.Database) error {
	return k.with(ctx, maintenance, func(conn *pgx.Conn) error {
		return run(ctx, conn, `DROP DATABASE IF EXISTS `+d.Name+` WITH (FORCE)`,
			`DROP ROLE IF EXISTS `+d.Login()+`, `+d.FormerLogin()+`, `+d.Name)
	})
}
