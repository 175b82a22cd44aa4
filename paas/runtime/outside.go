package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"kurama/paas"
)

// Walls says what stands around the tenants that have walls of their own.
type Walls interface {
	Walls(ctx context.Context) (map[string]paas.Wall, error)
}

const (
	// lookUpEvery is the time between two questions for the addresses of a name.
	lookUpEvery = 30 * time.Second
	// lookUpTimeout bounds one of them.
	lookUpTimeout = 3 * time.Second
	// answerKept is how long an address stays allowed after it was last answered: an app may hold on to one.
	answerKept = 10 * time.Minute
	// maxAnswers bounds the addresses of one name.
	maxAnswers = 64
)

// outside keeps what tenants may reach, with the addresses of the names they
// list: the packet filter knows addresses only.
type outside struct {
	mu     sync.Mutex // held while they are read and looked up
	read   bool
	walls  map[string]paas.Wall
	names  map[string]*answers
	weight map[string]int // as it was set
	lookUp func(ctx context.Context, name string) ([]netip.Addr, error)
}

// answers are the addresses of one name.
type answers struct {
	seen  map[netip.Addr]time.Time
	asked time.Time
	says  string // what was wrong with the last answer
}

// once reads the walls before the first network is made: a tenant's containers
// must not run with the default's for a moment.
func (o *outside) once(ctx context.Context, e *Engine) error {
	o.mu.Lock()
	read := o.read
	o.mu.Unlock()
	if read {
		return nil
	}
	return e.Refresh(ctx)
}

// Refresh puts in force what the tenants may reach and how much of the cores
// they get as it is stored now. When it returns nil, it is in force.
func (e *Engine) Refresh(ctx context.Context) error {
	o := &e.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	if e.opts.Walls != nil {
		walls, err := e.opts.Walls.Walls(ctx)
		if err != nil {
			return fmt.Errorf("walls of the tenants: %w", err)
		}
		o.walls = walls
	}
	o.resolve(ctx, time.Now())
	passages := o.passages(e.opts.Instance)
	e.mu.Lock()
	e.filter.tenants = passages
	e.filter.check(ctx)
	e.mu.Unlock()
	o.read = true
	if err := e.weighAll(ctx); err != nil {
		e.opts.Log.Warn("tenants do not have their weights of the cores", "error", err)
	}
	return nil
}

func (e *Engine) weighAll(ctx context.Context) error {
	o, errs := &e.outside, []error(nil)
	if o.weight == nil {
		o.weight = map[string]int{}
	}
	for tenant := range o.weight {
		if o.walls[tenant].CPUWeight == 0 { // it had one of its own
			errs = append(errs, e.weigh(ctx, tenant, paas.DefaultCPUWeight))
			delete(o.weight, tenant)
		}
	}
	for tenant, w := range o.walls {
		if w.CPUWeight == 0 || o.weight[tenant] == w.CPUWeight {
			continue
		}
		if err := e.weigh(ctx, tenant, w.CPUWeight); err != nil {
			errs = append(errs, err)
			continue
		}
		o.weight[tenant] = w.CPUWeight
	}
	return errors.Join(errs...)
}

// resolve asks for the names that are listed, all at once, and forgets the others.
func (o *outside) resolve(ctx context.Context, now time.Time) {
	wanted := map[string]*answers{}
	for _, w := range o.walls {
		list, _ := w.Egress.Destinations() // checked when it was stored
		for _, d := range list {
			if d.Name != "" && wanted[d.Name] == nil {
				wanted[d.Name] = o.names[d.Name]
				if wanted[d.Name] == nil {
					wanted[d.Name] = &answers{seen: map[netip.Addr]time.Time{}}
				}
			}
		}
	}
	o.names = wanted
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	var asking sync.WaitGroup
	for name, a := range wanted {
		if now.Sub(a.asked) >= lookUpEvery {
			asking.Go(func() { a.ask(ctx, name, now, o.lookUp) })
		}
	}
	asking.Wait()
}

func (a *answers) ask(ctx context.Context, name string, now time.Time, lookUp func(context.Context, string) ([]netip.Addr, error)) {
	if lookUp == nil {
		lookUp = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip4", name)
		}
	}
	found, err := lookUp(ctx, name)
	a.asked, a.says = now, ""
	if err != nil {
		why := err.Error()
		if known, ok := errors.AsType[*net.DNSError](err); ok {
			why = known.Err // without this host's resolver
		}
		a.says = fmt.Sprintf("The name could not be looked up: %s.", why)
	}
	for _, address := range found {
		address = address.Unmap()
		if within(netip.PrefixFrom(address, address.BitLen())) || !address.Is4() {
			a.says = fmt.Sprintf("It stands for %s, which is private: that stays closed. List the address itself where it is meant.", address)
			continue
		}
		a.seen[address] = now
	}
	maps.DeleteFunc(a.seen, func(_ netip.Addr, at time.Time) bool { return now.Sub(at) > answerKept })
	for len(a.seen) > maxAnswers {
		delete(a.seen, slices.MinFunc(slices.Collect(maps.Keys(a.seen)), func(x, y netip.Addr) int { return a.seen[x].Compare(a.seen[y]) }))
	}
}

// passages returns what the tenants with a policy of their own may reach.
func (o *outside) passages(instance string) []passage {
	var all []passage
	for tenant, w := range o.walls {
		if w.Egress.Mode == "" {
			continue
		}
		p := passage{bridge: bridgeName(instance, tenant), mode: w.Egress.Mode}
		list, err := w.Egress.Destinations()
		if err != nil {
			p.mode = paas.EgressNone // it cannot have been stored so
		}
		for _, d := range list {
			if d.Name == "" {
				p.open = append(p.open, opening{to: d.Prefix, ports: d.Ports})
				continue
			}
			for _, a := range slices.SortedFunc(maps.Keys(o.names[d.Name].seen), netip.Addr.Compare) {
				p.open = append(p.open, opening{to: netip.PrefixFrom(a, a.BitLen()), ports: d.Ports, named: true})
			}
		}
		all = append(all, p)
	}
	sortPassages(all)
	return all
}

// LookUps returns what the names that a tenant lists stand for at present.
func (e *Engine) LookUps(tenant string) []paas.Lookup {
	o := &e.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	list, _ := o.walls[tenant].Egress.Destinations()
	found := []paas.Lookup{}
	for _, d := range list {
		a := o.names[d.Name]
		if a == nil {
			continue
		}
		l := paas.Lookup{Name: d.Name, Addresses: []string{}, Says: a.says}
		for _, address := range slices.SortedFunc(maps.Keys(a.seen), netip.Addr.Compare) {
			l.Addresses = append(l.Addresses, address.String())
		}
		found = append(found, l)
	}
	return found
}

// Egress returns the mode of tenants without a policy of their own.
func (e *Engine) Egress() string { return e.cfg.Egress }
