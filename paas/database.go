package paas

import (
	"fmt"
	"net/url"
	"time"
)

// Database is the Postgres database of an app, in the cluster that the apps
// share.
type Database struct {
	Tenant    string        `json:"-"`
	App       string        `json:"-"`
	Name      string        `json:"name" doc:"Of the database, and of the role that owns what is in it; it says nothing of the app, because each role of the cluster sees the names of all"`
	Turn      int           `json:"-"` // which of the two roles that may sign in is in use; the other had the password before
	Password  string        `json:"-"`
	Size      int64         `json:"size" doc:"Bytes that it may hold"`
	Used      *int64        `json:"used" doc:"Bytes that it held when it was last measured; null: not yet"`
	Full      int64         `json:"-"` // bytes that it held when it was found full
	State     DatabaseState `json:"state" enum:"open,full,closed"`
	CreatedAt time.Time     `json:"created_at"`
}

// DatabaseState says what an app may do with its database.
type DatabaseState string

// The states of a database.
const (
	DatabaseOpen   DatabaseState = "open"
	DatabaseFull   DatabaseState = "full"   // it holds more than its size: what writes is refused
	DatabaseClosed DatabaseState = "closed" // it grew on although it was full: nobody gets in
)

// MinDatabase is the smallest size of a database, bytes: an empty one takes
// half of it.
const MinDatabase = 16 << 20

// DatabaseVariable is the variable of the environment by which an app finds its
// database.
const DatabaseVariable = "DATABASE_URL"

// DatabaseFolder is where the socket of the databases is inside a container:
// the place where Debian's client library looks by itself.
const DatabaseFolder = "/run/postgresql"

// Login is the role that the app signs in as.
func (d Database) Login() string { return fmt.Sprintf("%s_%d", d.Name, d.Turn%2) }

// FormerLogin is the role that the app signed in as before its password was
// last changed.
func (d Database) FormerLogin() string { return fmt.Sprintf("%s_%d", d.Name, (d.Turn+1)%2) }

// URL returns the address of the database inside a container, with its
// password, in the form of libpq
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS).
func (d Database) URL() string {
	u := url.URL{Scheme: "postgresql", User: url.UserPassword(d.Login(), d.Password), Path: "/" + d.Name, RawQuery: "host=" + DatabaseFolder}
	return u.String()
}

// CheckDatabaseSize returns *Invalid where a database cannot have a size; most
// is the largest.
func CheckDatabaseSize(size, most int64) error {
	if size < MinDatabase || size > most {
		return &Invalid{Reason: fmt.Sprintf("A database of %s is not possible: use %s to %s (databases.size_max).", mebibytes(size), mebibytes(MinDatabase), mebibytes(most))}
	}
	return nil
}

// Measured returns the state that a database is to have when it holds used
// bytes. A full one that grows by a quarter of its size on top is written to in
// spite of the refusal, which an app can switch off for itself.
func (d Database) Measured(used int64) DatabaseState {
	switch {
	case used <= d.Size:
		return DatabaseOpen
	case d.State == DatabaseClosed || d.State == DatabaseFull && used > d.Full+max(d.Size/4, MinDatabase):
		return DatabaseClosed
	}
	return DatabaseFull
}

// Says tells what is wrong with the database and what to do; empty: nothing.
func (d Database) Says() string {
	var used int64
	if d.Used != nil {
		used = *d.Used
	}
	switch d.State {
	case DatabaseFull:
		return fmt.Sprintf("The database holds %s, and its size is %s: what writes is refused until it holds less. Give it more with `kurama database resize %s SIZE`, or make room: `kurama database psql %s`, then `SET default_transaction_read_only = off`, delete, and VACUUM FULL.",
			mebibytes(used), mebibytes(d.Size), d.App, d.App)
	case DatabaseClosed:
		return fmt.Sprintf("The database went on growing to %s although it was full at %s, so nobody gets in. Give it more with `kurama database resize %s SIZE`, or delete it.",
			mebibytes(used), mebibytes(d.Size), d.App)
	}
	return ""
}
