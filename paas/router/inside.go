package router

import (
	"net/http"
	"net/netip"
	"strings"

	"kurama/paas"
)

// inside knows who asks from a tenant's network: the packet filter lets apps
// reach this router on their own bridge alone, and no container can take
// another's address, so that the address of a connection tells whose it is.
type inside struct {
	tenants map[netip.Prefix]string
	sizes   []int                 // of the prefixes; seldom more than one
	callers map[netip.Addr]string // the app of each replica
	apps    map[string]*app       // by tenant/app
}

func newInside(t paas.Table, apps map[string]*app) *inside {
	if len(t.Networks) == 0 {
		return nil
	}
	in := &inside{tenants: map[netip.Prefix]string{}, callers: map[netip.Addr]string{}, apps: apps}
	sizes := map[int]bool{}
	for _, n := range t.Networks {
		if p := n.Range.Masked(); p.IsValid() {
			in.tenants[p] = n.Tenant
			if !sizes[p.Bits()] {
				sizes[p.Bits()] = true
				in.sizes = append(in.sizes, p.Bits())
			}
		}
	}
	for _, route := range t.Routes {
		for _, target := range route.Targets {
			if a, err := netip.ParseAddrPort(target.Address); err == nil {
				in.callers[a.Addr()] = route.App
			}
		}
	}
	return in
}

// who returns the tenant that a request comes from the network of, and the app
// where one of its replicas sent it; ok is false for requests from elsewhere.
func (in *inside) who(r *http.Request) (tenant, app string, ok bool) {
	if in == nil {
		return "", "", false
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "", "", false
	}
	addr := from.Addr().Unmap()
	for _, size := range in.sizes {
		if p, err := addr.Prefix(size); err == nil {
			if tenant, ok := in.tenants[p]; ok {
				return tenant, in.callers[addr], true
			}
		}
	}
	return "", "", false
}

// app returns the tenant's app that host names; nil where there is none.
func (in *inside) app(tenant, host string) *app {
	name, ok := strings.CutSuffix(host, paas.InternalSuffix)
	if !ok {
		return nil
	}
	return in.apps[tenant+"/"+name]
}

// pageInside answers an app that asks for what it cannot reach from inside.
func pageInside(host string) page {
	return page{status: http.StatusNotFound, title: "No app here",
		detail: "No app of this tenant answers on \"" + host + "\". From inside, apps reach those of their own tenant, as http://APP" + paas.InternalSuffix + "."}
}
