package deploy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kurama/paas"
)

const (
	probeTimeout = 10 * time.Second
	// wrongPortAfter is how long an app may listen elsewhere before it is taken
	// for a mistake.
	wrongPortAfter = 4 * time.Second
	// brokenAfter is how long an app may answer 500 before it is taken for
	// broken; one that warms up says 503.
	brokenAfter = 10 * time.Second
	lookAfter   = 100 * time.Millisecond // between two looks at the container
	tailLines   = 20
)

func newProbeClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext},
		// A redirect is an answer, and it may lead anywhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// prober waits for one replica to become healthy.
type prober struct {
	d       *Deployer
	replica paas.Replica
	start   paas.Start
	limits  paas.Limits
	host    string
	status  int    // of the last answer; 0: none yet
	exc     string // the traceback that the SDK sent with it
	badFrom time.Time
}

// healthy returns nil once the replica answers its probe, and *paas.Invalid
// with the reason when it ends first, is beyond hope, or takes too long.
func (d *Deployer) healthy(ctx context.Context, r paas.Replica, rel paas.Release) error {
	ctx, cancel := context.WithTimeout(ctx, d.opts.App.HealthTimeout)
	defer cancel()
	probing, giveUp := context.WithCancelCause(ctx)
	p := &prober{d: d, replica: r, start: rel.Start, limits: rel.Limits, host: paas.Hosts(r.Tenant, r.App, d.opts.Domain)[0]}
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		p.look(probing, giveUp)
	}()
	err := p.poll(probing)
	giveUp(nil)
	<-looked
	if err == nil {
		return nil
	}
	if cause := context.Cause(probing); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return p.tooLong(context.WithoutCancel(ctx))
	}
	return err
}

// poll probes every few milliseconds at first, because a small app is up after
// 150 of them, and more and more rarely later.
func (p *prober) poll(ctx context.Context) error {
	began := time.Now()
	for {
		if p.once(ctx) {
			return nil
		}
		if !p.badFrom.IsZero() && time.Since(p.badFrom) > brokenAfter {
			return p.broken(ctx)
		}
		pause := 3 * time.Millisecond
		switch age := time.Since(began); {
		case age > 10*time.Second:
			pause = 250 * time.Millisecond
		case age > 2*time.Second:
			pause = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// once sends one probe; any status below 500 is healthy.
func (p *prober) once(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.replica.Address+p.start.Health, nil)
	if err != nil {
		return false
	}
	req.Host = p.host
	req.Header.Set("User-Agent", "Kurama-Probe")
	resp, err := p.d.probes.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	p.status = resp.StatusCode
	// Once an app answers requests, its errors go to its records and not to the
	// container's output.
	p.exc, _ = url.PathUnescape(resp.Header.Get("X-Kurama-Exc"))
	switch {
	case p.status != http.StatusInternalServerError:
		p.badFrom = time.Time{}
	case p.badFrom.IsZero():
		p.badFrom = time.Now()
	}
	return p.status < 500
}

// look watches the container meanwhile, and gives up when it ended or listens
// where nobody reaches it.
func (p *prober) look(ctx context.Context, giveUp context.CancelCauseFunc) {
	var elsewhere time.Time
	ticker := time.NewTicker(lookAfter)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		c, err := p.d.Engine.Inspect(ctx, p.replica.ID)
		if errors.Is(err, paas.ErrNotFound) {
			giveUp(&paas.Invalid{Reason: "The replica was removed before it answered."})
			return
		}
		if err == nil && !c.Running {
			giveUp(p.d.ended(ctx, c, p.limits))
			return
		}
		if n%5 != 0 { // the sockets are looked at less often
			continue
		}
		wrong := p.wrongSocket(ctx)
		switch {
		case wrong == nil:
			elsewhere = time.Time{}
		case elsewhere.IsZero():
			elsewhere = time.Now()
		case time.Since(elsewhere) > wrongPortAfter && usualMistake(*wrong):
			giveUp(unreachable(*wrong))
			return
		}
	}
}

// wrongSocket returns a socket that the app listens on when none is the right
// one.
func (p *prober) wrongSocket(ctx context.Context) *paas.Socket {
	sockets, err := p.d.Engine.ListeningSockets(ctx, p.replica.ID)
	if err != nil {
		return nil
	}
	var wrong *paas.Socket
	for _, s := range sockets {
		if reachable(s, p.replica.Address) {
			return nil
		}
		wrong = &s
	}
	return wrong
}

func reachable(s paas.Socket, address string) bool {
	host, port, err := net.SplitHostPort(address)
	return err == nil && fmt.Sprint(s.Port) == port && (s.IP == "0.0.0.0" || s.IP == "::" || s.IP == host)
}

// usualMistake tells whether a socket is what frameworks open by default,
// rather than one beside a slow start.
func usualMistake(s paas.Socket) bool {
	switch s.Port {
	case 80, 3000, 5000, 8000, 8080, 8888, 9000:
		return true
	}
	return s.IP == "127.0.0.1" || s.IP == "::1"
}

func unreachable(s paas.Socket) error {
	return &paas.Invalid{Reason: fmt.Sprintf("Your app answered on %s, where the router cannot reach it. Listen on 0.0.0.0:$PORT, or remove `app.run()` and let Kurama start it.",
		net.JoinHostPort(s.IP, fmt.Sprint(s.Port)))}
}

func (p *prober) broken(ctx context.Context) error {
	lines := p.lastLines(ctx)
	return &paas.Invalid{Reason: fmt.Sprintf("`GET %s` keeps answering %d%s. Mend it, or name another path as `health` in kurama.yaml.%s%s",
		p.start.Health, p.status, because(lines), noTables(p.replica.App, lines), quoted(lines))}
}

// lastLines returns the traceback of the last answer, else what the app wrote.
func (p *prober) lastLines(ctx context.Context) []string {
	if p.exc != "" {
		return strings.Split(strings.TrimSpace(p.exc), "\n")
	}
	lines, _ := p.d.Engine.Logs(ctx, p.replica.ID, tailLines)
	return lines
}

func (p *prober) tooLong(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	lines := p.lastLines(ctx)
	if wrong := p.wrongSocket(ctx); wrong != nil {
		return unreachable(*wrong)
	}
	if p.status != 0 {
		return &paas.Invalid{Reason: fmt.Sprintf("`GET %s` answered %d until %s were over. Mend it, or name another path as `health` in kurama.yaml.%s",
			p.start.Health, p.status, p.d.opts.App.HealthTimeout, quoted(lines))}
	}
	return &paas.Invalid{Reason: fmt.Sprintf("Your app did not answer `GET %s` on port 8000 within %s. Listen on 0.0.0.0:$PORT, and do slow work after the start.%s",
		p.start.Health, p.d.opts.App.HealthTimeout, quoted(lines))}
}
