// Package domain finds out whose a domain is, so that no tenant can take the
// name of another: the zone of the name says it, where its owner alone can write.
package domain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kurama/internal/config"
	"kurama/paas"
)

// Store keeps the domains that apps ask for.
type Store interface {
	Domains(ctx context.Context, tenant, app string) ([]paas.Domain, error)
	PendingDomains(ctx context.Context, limit int) ([]paas.Domain, error)
	ActiveOn(ctx context.Context, host string) ([]paas.Domain, error)
	SettleDomain(ctx context.Context, d paas.Domain) error
}

// Resolver answers questions about names, as net.Resolver does.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	// LookupCNAME returns the name that host stands for in the end.
	LookupCNAME(ctx context.Context, host string) (string, error)
}

const (
	lookTimeout = 5 * time.Second // of one question
	most        = 50              // domains that one look takes
	atOnce      = 10              // hosts that are looked at at the same time
)

// Keeper makes domains active once they are shown to be their tenant's.
type Keeper struct {
	cfg      config.Domains
	domain   string // of the installation
	instance string
	store    Store
	resolver Resolver
	log      *slog.Logger
}

// New returns a keeper for the installation that is called instance and gives
// out names below domain.
func New(cfg config.Domains, domain, instance string, store Store, resolver Resolver, log *slog.Logger) *Keeper {
	return &Keeper{cfg: cfg, domain: domain, instance: instance, store: store, resolver: resolver, log: log}
}

// Run looks at the domains that are not active yet, again and again, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	ticker := time.NewTicker(k.cfg.Interval)
	defer ticker.Stop()
	for {
		if err := k.runOnce(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("domains are not looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (k *Keeper) runOnce(ctx context.Context) error {
	pending, err := k.store.PendingDomains(ctx, most)
	if err != nil {
		return err
	}
	return k.lookAt(ctx, pending)
}

// lookAt looks at the domains that are not active: at some hosts at a time,
// since name servers may be slow, and at those of one host in their order, since
// whoever comes first may take it.
func (k *Keeper) lookAt(ctx context.Context, domains []paas.Domain) error {
	var hosts []string
	on := map[string][]paas.Domain{}
	for _, d := range domains {
		if d.Active {
			continue
		}
		host, _ := paas.SplitDomain(d.Name)
		if on[host] == nil {
			hosts = append(hosts, host)
		}
		on[host] = append(on[host], d)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, host := range hosts {
		g.Go(func() error {
			for _, d := range on[host] {
				if err := k.look(ctx, d); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// Check looks at the domains of an app that are not active yet, and returns all
// that it asks for.
func (k *Keeper) Check(ctx context.Context, tenant, app string) ([]paas.Domain, error) {
	domains, err := k.store.Domains(ctx, tenant, app)
	if err != nil {
		return nil, err
	}
	if err := k.lookAt(ctx, domains); err != nil {
		return nil, err
	}
	return k.store.Domains(ctx, tenant, app)
}

// Record returns the text that a tenant puts at _kurama.<host>.
func (k *Keeper) Record(tenant string) string { return "kurama=" + tenant + "@" + k.instance }

// look settles one domain that is not active.
func (k *Keeper) look(ctx context.Context, d paas.Domain) error {
	says, err := k.refusal(ctx, d)
	if err != nil {
		return err
	}
	d.Active, d.Says = says == "", says
	if d.Active {
		k.log.Info("domain active", "tenant", d.Tenant, "app", d.App, "domain", d.Name)
	}
	if err := k.store.SettleDomain(ctx, d); !errors.Is(err, paas.ErrNotFound) {
		return err
	}
	return nil // nobody asks for it any more
}

// refusal returns why a domain cannot be made active, or "".
func (k *Keeper) refusal(ctx context.Context, d paas.Domain) (string, error) {
	host, _ := paas.SplitDomain(d.Name)
	if k.cfg.Check {
		if shown, _, why := k.shown(ctx, d, host); !shown {
			return why, nil
		}
	}
	others, err := k.store.ActiveOn(ctx, host)
	if err != nil {
		return "", err
	}
	for _, o := range others {
		switch {
		case o.Tenant == d.Tenant && o.Name == d.Name:
			return fmt.Sprintf("%s leads to your app %s. Take it from there first: a domain can lead to one app alone.", d.Name, o.App), nil
		case o.Tenant == d.Tenant || k.cfg.Check && o.Name != d.Name:
			continue // the zone names both tenants
		case !k.cfg.Check || k.holds(ctx, o, host):
			return fmt.Sprintf("%s belongs to another tenant, and a domain can lead to one app alone.", host), nil
		}
	}
	return "", nil
}

// shown reports whether the zone of host says that it is d's tenant's; if not,
// whether that is sure, since all name servers answered, and what to say of it.
func (k *Keeper) shown(ctx context.Context, d paas.Domain, host string) (shown, sure bool, says string) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	texts, err := k.resolver.LookupTXT(ctx, "_kurama."+host)
	if slices.Contains(texts, k.Record(d.Tenant)) {
		return true, true, ""
	}
	target, cnameErr := k.resolver.LookupCNAME(ctx, host)
	if cnameErr == nil && k.ours(d.Tenant, target) {
		return true, true, ""
	}
	for _, err := range []error{err, cnameErr} {
		if err != nil && !missing(err) {
			return false, false, fmt.Sprintf("The name servers of %s did not answer: %v. They are asked again by themselves.", host, err)
		}
	}
	how := fmt.Sprintf("Add the DNS record `_kurama.%s TXT %s`", host, k.Record(d.Tenant))
	if k.domain != "localhost" { // a name that leads to each machine itself
		how += fmt.Sprintf(", or make %s a CNAME of %s", host, paas.Hosts(d.Tenant, d.App, k.domain)[0])
	}
	return false, true, fmt.Sprintf("The DNS does not show yet that %s is yours. %s. Kurama looks again by itself.", host, how)
}

// holds reports whether the tenant that has host can still show it. Name
// servers that do not answer take nothing from anybody.
func (k *Keeper) holds(ctx context.Context, d paas.Domain, host string) bool {
	shown, sure, _ := k.shown(ctx, d, host)
	return shown || !sure
}

// ours reports whether name is one that the platform gives to an app of the tenant.
func (k *Keeper) ours(tenant, name string) bool {
	app, _, _ := strings.Cut(name, ".")
	return slices.Contains(paas.Hosts(tenant, app, k.domain), strings.ToLower(strings.TrimSuffix(name, ".")))
}

// missing reports whether err says that there is no such name, or no record of
// the kind that was asked for.
func missing(err error) bool {
	failed, ok := errors.AsType[*net.DNSError](err)
	return ok && failed.IsNotFound
}
