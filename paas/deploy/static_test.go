package deploy

import (
	"reflect"
	"testing"
	"time"

	"kurama/paas"
)

func TestServed(t *testing.T) {
	folders := []paas.Static{{Path: "/static", Dir: "shop/static"}}
	of := func(releases ...int) (list []paas.ServedStatic) {
		for _, n := range releases {
			list = append(list, paas.ServedStatic{Release: n, Folders: folders})
		}
		return list
	}
	f := newFleet(t.Context(), key{"default", "shop"}, time.Now())
	f.see(paas.App{Release: 3, Static: of(3)})
	add := func(id string, release int, s stage) *replica {
		return f.add(paas.Container{Replica: paas.Replica{ID: id, Release: release}}, s)
	}
	is := func(t *testing.T, want []paas.ServedStatic) {
		t.Helper()
		if got := f.served(); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, not %+v", got, want)
		}
	}
	t.Run("are the live release's, also without a replica", func(t *testing.T) { is(t, of(3)) })
	t.Run("change in the moment in which the replicas do, and back", func(t *testing.T) {
		old, fresh := add("a", 3, serving), add("b", 4, candidate)
		f.static[4] = folders
		is(t, of(3))
		old.stage, fresh.stage = leaving, serving
		is(t, of(4))
		f.see(paas.App{Release: 3, Static: of(3)}) // read before the switch was stored
		is(t, of(4))
		old.stage, fresh.stage = serving, leaving
		is(t, of(3))
		old.stage, fresh.stage = leaving, serving
		f.see(paas.App{Release: 4, Static: of(4)})
		is(t, of(4))
	})
	t.Run("are those of a canary too, which has none where it declares none", func(t *testing.T) {
		add("c", 5, serving)
		f.see(paas.App{Release: 4, Canary: paas.Canary{Release: 5, Share: 10}, Static: of(4, 5)})
		is(t, of(4, 5))
		delete(f.static, 5)
		is(t, of(4))
	})
	t.Run("are none of a release that declares none", func(t *testing.T) {
		clear(f.replicas)
		f.see(paas.App{Release: 6})
		is(t, nil)
		if len(f.static) != 0 {
			t.Errorf("remembered for nothing: %v", f.static)
		}
	})
}
