package alert

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// notice is what a message is made from.
type notice struct {
	rule       Rule
	condition  *Condition
	figures    Figures
	from, to   time.Time // when the condition began to hold, and, where it is over, when it held last
	now        time.Time
	records    []line
	points     []point
	held       int // messages about the app that were held back before this one
	perHour    int
	consoleURL string
}

const (
	dayTime   = "15:04:05 MST on 2 Jan 2006"
	clockTime = "15:04:05"
)

// firingMessage tells that the condition has come to hold.
func firingMessage(n notice) message {
	first := fmt.Sprintf("The condition %s of the app %s has held since %s", n.bare(), n.rule.App, n.from.UTC().Format(dayTime))
	if d := n.now.Sub(n.from); d >= time.Second {
		first += fmt.Sprintf(" (%s)", spell(d))
	}
	return n.message(kindFiring, n.rule.App+": "+n.condition.Phrase(n.figures), first+".", "Now: "+n.condition.Now(n.figures)+".")
}

// resolvedMessage tells that it holds no more.
func resolvedMessage(n notice) message {
	first := fmt.Sprintf("The condition %s of the app %s has not held since %s. It held for %s.",
		n.bare(), n.rule.App, n.to.UTC().Format(dayTime), spell(n.to.Sub(n.from)))
	return n.message(kindResolved, fmt.Sprintf("%s: over: %s (now %s)", n.rule.App, n.condition.Phrase(nil), n.condition.Now(n.figures)),
		first, "Now: "+n.condition.Now(n.figures)+".")
}

// testMessage shows that a message arrives.
func testMessage(n notice) message {
	return n.message(kindTest, n.rule.App+": test of "+n.condition.Phrase(nil),
		fmt.Sprintf("This is a test, sent at %s: messages about the condition %s of the app %s reach you here.", n.now.UTC().Format(dayTime), n.bare(), n.rule.App),
		"The condition itself was not looked at.")
}

// bare returns the condition without values and without its for-duration.
func (n notice) bare() string { return phrase(n.condition.tree, n.condition.units, nil) }

// message writes both forms of the body around the first two sentences.
func (n notice) message(kind, subject, first, second string) message {
	n.sortPoints()
	view := view{Kind: kind, Subject: cut(strings.Join(strings.Fields(subject), " "), 200),
		First: first, Second: second, Link: n.link(), App: n.rule.App, Why: n.why(), Held: n.heldBack()}
	for _, l := range n.records {
		view.Records = append(view.Records, viewLine{l.at.UTC().Format(clockTime), l.level, l.text})
	}
	if kind != kindTest && len(n.points) > 1 && n.condition.subject != "" {
		view.Chart = base64.StdEncoding.EncodeToString(chart(n.points, n.condition.limit, seriesColor(n.condition.subject)))
		view.Caption = n.caption()
	}
	return messageOf(view)
}

// sortPoints cuts off points after now, which can exist after the clock was
// set back.
func (n *notice) sortPoints() {
	for len(n.points) > 0 && n.points[len(n.points)-1].at.After(n.now) {
		n.points = n.points[:len(n.points)-1]
	}
}

func (n notice) caption() string {
	u := n.condition.unitOf(n.condition.subject)
	span := n.points[len(n.points)-1].at.Sub(n.points[0].at)
	return fmt.Sprintf("%s, last %s, from 0 to %s; dashed: the limit of %s", n.condition.subject, spell(span),
		format(u, top(n.points, n.condition.limit)), format(u, n.condition.limit))
}

func (n notice) link() string {
	return strings.TrimRight(n.consoleURL, "/") + "/#/apps/" + url.PathEscape(n.rule.App)
}

func (n notice) why() string {
	return fmt.Sprintf("You get this because an alert of the app %s (tenant %s) names %s as its receiver.", n.rule.App, n.rule.Tenant, n.rule.Receiver)
}

func (n notice) heldBack() string {
	switch n.held {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("One message about %s was held back before this one: at most %d an hour are sent.", n.rule.App, n.perHour)
	}
	return fmt.Sprintf("%d messages about %s were held back before this one: at most %d an hour are sent.", n.held, n.rule.App, n.perHour)
}
