package alert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/mail"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/paas"
)

// Bounds of what one app may have.
const (
	maxRules   = 50 // rules per app
	maxTests   = 10 // test messages per app and hour
	foreignKey = "23503"
)

// Rule is an alert rule of an app.
type Rule struct {
	ID         string     `json:"id"`
	Tenant     string     `json:"-"`
	App        string     `json:"-"`
	Condition  string     `json:"condition"`   // as written, without the for-suffix
	For        float64    `json:"for"`         // s
	Receiver   string     `json:"receiver"`    // an e-mail address
	State      string     `json:"state"`       // ok, pending, firing
	Since      *time.Time `json:"since"`       // when the state began; nil before the first
	Value      string     `json:"value"`       // the last figures seen, with units
	KeepFiring float64    `json:"keep_firing"` // s that it goes on firing after the condition has ended
	Repeat     float64    `json:"repeat"`      // s between reminders while it fires; 0: none
	CreatedBy  string     `json:"-"`
	CreatedAt  time.Time  `json:"created_at"`

	told     *time.Time // when the receiver was last told that it fires
	heldFrom *time.Time // when the condition began to hold
	heldTo   *time.Time // when it held last
}

// Notification is one message about a rule.
type Notification struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"` // firing, resolved, test
	Recipient string     `json:"recipient"`
	Subject   string     `json:"subject"`
	BodyText  string     `json:"body_text"`
	State     string     `json:"state"` // pending, sent, outbox, failed, suppressed, grouped
	Attempts  int        `json:"attempts"`
	Error     string     `json:"error"`
	CreatedAt time.Time  `json:"created_at"`
	SentAt    *time.Time `json:"sent_at"`
}

// Rules is the store of alert rules and their messages. It is safe for
// concurrent use.
type Rules struct {
	pool       *pgxpool.Pool
	perHour    int
	from       string
	consoleURL string
}

// NewRules returns the store. cfg bounds the messages; smtp gives the sender's address; consoleURL, the
// address of the console, is what messages link to.
func NewRules(pool *pgxpool.Pool, cfg config.Alert, smtp config.SMTP, consoleURL string) *Rules {
	return &Rules{pool: pool, perHour: cfg.PerHour, from: smtp.From, consoleURL: consoleURL}
}

const ruleColumns = "id::text, tenant, app, condition, for_ms, receiver, state, since, value, created_by, created_at, keep_firing_ms, repeat_ms, told_at, held_from, held_to"

func scanRule(row pgx.CollectableRow) (Rule, error) {
	var r Rule
	var forMs, keepMs, repeatMs int64
	err := row.Scan(&r.ID, &r.Tenant, &r.App, &r.Condition, &forMs, &r.Receiver, &r.State, &r.Since, &r.Value, &r.CreatedBy, &r.CreatedAt,
		&keepMs, &repeatMs, &r.told, &r.heldFrom, &r.heldTo)
	r.For, r.KeepFiring, r.Repeat = float64(forMs)/1000, float64(keepMs)/1000, float64(repeatMs)/1000
	return r, err
}

// List returns the rules of an app, oldest first.
func (s *Rules) List(ctx context.Context, tenant, app string) ([]Rule, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+ruleColumns+" FROM alert_rules WHERE tenant=$1 AND app=$2 ORDER BY created_at, id", tenant, app)
	if err != nil {
		return nil, fmt.Errorf("listing the alerts of %s: %w", app, err)
	}
	rules, err := pgx.CollectRows(rows, scanRule)
	if err != nil {
		return nil, fmt.Errorf("listing the alerts of %s: %w", app, err)
	}
	return rules, nil
}

// Add stores a rule and returns it as stored. Of r, Tenant, App, Condition,
// For, KeepFiring, Repeat, Receiver and CreatedBy are read; the condition may carry its
// for-suffix. Errors: *paas.Invalid; paas.ErrNotFound where there is no such
// app.
func (s *Rules) Add(ctx context.Context, r Rule) (Rule, error) {
	r, err := checked(r)
	if err != nil {
		return Rule{}, err
	}
	var n int
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM alert_rules WHERE tenant=$1 AND app=$2", r.Tenant, r.App).Scan(&n); err != nil {
		return Rule{}, fmt.Errorf("counting the alerts of %s: %w", r.App, err)
	}
	if n >= maxRules {
		return Rule{}, &paas.Invalid{Reason: fmt.Sprintf("The app %s has %d alerts, and %d is the most: remove one first.", r.App, n, maxRules)}
	}
	return insertRule(ctx, s.pool, r)
}

// checked returns a rule as it is stored, or *paas.Invalid.
func checked(r Rule) (Rule, error) {
	c, err := Compile(r.Condition)
	if err != nil {
		return r, err
	}
	wait, err := waitOf(c, r.For)
	if err != nil {
		return r, err
	}
	if r.Receiver, err = CheckReceiver(r.Receiver); err != nil {
		return r, err
	}
	r.Condition, r.For = c.Text, wait.Seconds()
	return r, checkPauses(r)
}

// insertRule stores a checked rule.
func insertRule(ctx context.Context, q querier, r Rule) (Rule, error) {
	rows, err := q.Query(ctx, `INSERT INTO alert_rules (id, tenant, app, condition, for_ms, receiver, created_by, keep_firing_ms, repeat_ms)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) RETURNING `+ruleColumns,
		newID(), r.Tenant, r.App, r.Condition, int64(math.Round(r.For*1000)), r.Receiver, r.CreatedBy, int64(r.KeepFiring*1000), int64(r.Repeat*1000))
	if err != nil {
		return Rule{}, fmt.Errorf("adding an alert to %s: %w", r.App, err)
	}
	added, err := pgx.CollectExactlyOneRow(rows, scanRule)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == foreignKey {
		return Rule{}, fmt.Errorf("app %s: %w", r.App, paas.ErrNotFound)
	}
	if err != nil {
		return Rule{}, fmt.Errorf("adding an alert to %s: %w", r.App, err)
	}
	return added, nil
}

// waitOf joins the for-duration of the text with the one given apart, in
// seconds.
func waitOf(c *Condition, seconds float64) (time.Duration, error) {
	if !(seconds >= 0 && seconds <= maxFor.Seconds()) { // refuses NaN too
		return 0, &paas.Invalid{Reason: fmt.Sprintf("An alert cannot wait for %g s: 0 s to 24 h is possible.", seconds)}
	}
	apart := time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
	if c.For > 0 && apart > 0 && c.For != apart {
		return 0, &paas.Invalid{Reason: fmt.Sprintf("The condition says `for %s` and the duration beside it is %s: give one of them.", spell(c.For), spell(apart))}
	}
	return max(c.For, apart), nil
}

// checkPauses refuses times that are out of bounds, and reminders without end.
func checkPauses(r Rule) error {
	switch {
	case !(r.KeepFiring >= 0 && r.KeepFiring <= maxFor.Seconds()):
		return &paas.Invalid{Reason: fmt.Sprintf("An alert cannot keep firing for %g s: 0 s to 24 h is possible.", r.KeepFiring)}
	case r.Repeat != 0 && !(r.Repeat >= 60 && r.Repeat <= 30*24*3600):
		return &paas.Invalid{Reason: fmt.Sprintf("A reminder every %g s is not possible: use 1 min to 30 d, or 0 for none.", r.Repeat)}
	}
	return nil
}

// CheckReceiver returns the bare e-mail address in text, or the address of a
// webhook: an http or https URL, with slack: before it where Slack's form is
// wanted. Errors: *paas.Invalid.
func CheckReceiver(text string) (string, error) {
	if hook, ok := hookOf(strings.TrimSpace(text)); ok {
		return hook.receiver(), hook.check()
	}
	a, err := mail.ParseAddress(strings.TrimSpace(text))
	if err != nil || len(a.Address) > 254 || strings.ContainsAny(a.Address, " \t\r\n<>") {
		return "", &paas.Invalid{Reason: fmt.Sprintf("%q is neither an e-mail address nor a webhook: write it as name@example.org, https://example.org/hook or slack:https://hooks.slack.com/services/….", cut(text, 80))}
	}
	return a.Address, nil
}

// Remove deletes a rule. Errors: paas.ErrNotFound.
func (s *Rules) Remove(ctx context.Context, tenant, app, id string) error {
	tag, err := s.pool.Exec(ctx, "DELETE FROM alert_rules WHERE id::text=$1 AND tenant=$2 AND app=$3", id, tenant, app)
	if err != nil {
		return fmt.Errorf("removing alert %s: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("alert %s: %w", id, paas.ErrNotFound)
	}
	return nil
}

// Test queues a message of kind test to the rule's receiver. Errors:
// paas.ErrNotFound; *paas.Invalid beyond 10 in an hour.
func (s *Rules) Test(ctx context.Context, tenant, app, id string) error {
	rows, err := s.pool.Query(ctx, "SELECT "+ruleColumns+" FROM alert_rules WHERE id::text=$1 AND tenant=$2 AND app=$3", id, tenant, app)
	if err != nil {
		return fmt.Errorf("reading alert %s: %w", id, err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanRule)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("alert %s: %w", id, paas.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("reading alert %s: %w", id, err)
	}
	var n int
	if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM notifications
		WHERE tenant=$1 AND app=$2 AND kind='test' AND created_at > now() - interval '1 hour'`, tenant, app).Scan(&n); err != nil {
		return fmt.Errorf("counting the test messages of %s: %w", app, err)
	}
	if n >= maxTests {
		return &paas.Invalid{Reason: fmt.Sprintf("%d test messages were sent for %s within the last hour, and that is the most: try again later.", n, app)}
	}
	c, err := compileRule(r)
	if err != nil {
		return fmt.Errorf("alert %s: %w", id, err)
	}
	m := testMessage(notice{rule: r, condition: c, now: time.Now(), consoleURL: s.consoleURL})
	now := time.Now()
	return insertNotification(ctx, s.pool, r, m, place{state: statePendingMail, at: now, due: now})
}

// compileRule compiles a stored rule, with its for-duration.
func compileRule(r Rule) (*Condition, error) {
	c, err := Compile(r.Condition)
	if err != nil {
		return nil, err
	}
	c.For = time.Duration(r.For * float64(time.Second)).Round(time.Millisecond)
	return c, nil
}

// newID returns an id that sorts by the time it was made.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
