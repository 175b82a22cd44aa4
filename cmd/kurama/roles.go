package main

import (
	"context"
	"net"

	"github.com/spf13/cobra"

	"kurama/internal/role"
	"kurama/paas"
	"kurama/paas/router"
	"kurama/services/alert"
	"kurama/services/archive"
	"kurama/services/persist"
	"kurama/services/profile"
)

// roleCommands are the roles, each runnable alone.
func roleCommands(s *settings) []*cobra.Command {
	return []*cobra.Command{
		roleCommand(s, "stream", "The durable stream of records (embedded JetStream)", newStream),
		roleCommand(s, "logship", "The agent: ships records, samples replicas", newLogship),
		roleCommand(s, "router", "The data plane: requests to apps", newRouter),
		roleCommand(s, "persist", "Stream → Postgres", newPersist),
		roleCommand(s, "archive", "Stream → JSON archives", newArchive),
		roleCommand(s, "alert", "Conditions → mail", newAlert),
		roleCommand(s, "profile", "Figures per route", newProfile),
		autoscalerCommand(s),
		roleCommand(s, "paas", "The control plane: console, API, deploys", newPaas),
		roleCommand(s, "dashboard", "The live dashboard", newDashboard),
	}
}

func newRouter(_ context.Context, w *wiring) (runner, error) {
	ln, err := role.Listener(0, w.cfg.Router.Listen)
	if err != nil {
		return nil, portSentence("router.listen", w.cfg.Router.Listen, err)
	}
	var encrypted net.Listener
	if addr := w.cfg.Router.TLS.Listen; addr != "" {
		if encrypted, err = role.Listener(1, addr); err != nil {
			return nil, portSentence("router.tls.listen", addr, err)
		}
	}
	control, err := role.SocketListener(w.folders.Socket("router.sock"))
	if err != nil {
		return nil, err
	}
	return router.New(w.cfg.Router, router.Options{Listener: ln, TLS: encrypted, Control: control, Releases: w.folders.Sub("releases"), StatePath: w.folders.Sub("router/table.json"), CertFolder: w.folders.Sub("router/certificates"),
		Domain: w.cfg.Domain, Records: w.sender(w.cfg.Router.RecordBuffer), StopTimeout: w.cfg.StopTimeout, Log: w.log})
}

func newPersist(ctx context.Context, w *wiring) (runner, error) {
	deps, err := w.sink(ctx, paas.ServicePersist)
	if err != nil {
		return nil, err
	}
	return persist.New(w.cfg.Persist, deps)
}

func newArchive(ctx context.Context, w *wiring) (runner, error) {
	deps, err := w.sink(ctx, paas.ServiceArchive)
	if err != nil {
		return nil, err
	}
	return archive.New(w.cfg.Archive, w.folders.Sub("archive"), w.folders.Socket("archive.sock"), deps)
}

func newProfile(ctx context.Context, w *wiring) (runner, error) {
	deps, err := w.sink(ctx, paas.ServiceProfile)
	if err != nil {
		return nil, err
	}
	return profile.New(w.cfg.Profile, deps)
}

func newAlert(ctx context.Context, w *wiring) (runner, error) {
	pool, err := w.pool(ctx)
	if err != nil {
		return nil, err
	}
	st, err := w.stream(ctx)
	if err != nil {
		return nil, err
	}
	gate, err := w.gate(ctx, pool, paas.ServiceAlert)
	if err != nil {
		return nil, err
	}
	ln, err := w.ops()
	if err != nil {
		return nil, err
	}
	return alert.New(w.cfg.Alert, alert.Options{Pool: pool, Stream: st, Gate: gate, Sender: w.sender(0), SMTP: w.cfg.SMTP,
		Data: w.folders.Data, ConsoleURL: consoleURL(w.cfg), Listener: ln, Log: w.log}), nil
}
