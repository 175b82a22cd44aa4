package persist

import (
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
	"kurama/services/sink/sinktest"
)

func TestMemoryOfARelease(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	from := time.Now().UTC().Truncate(time.Minute).Add(-3 * time.Minute)
	var all []record.Record
	sample := func(tenant, replica string, release int, mem record.Number, after time.Duration) {
		at := from.Add(after)
		all = append(all, record.Record{Time: at, ID: record.NewID(at), Kind: record.KindSample, Tenant: tenant, App: "shop", Release: release, Replica: replica, Mem: mem})
	}
	sample("acme", "shop-7-a", 7, record.Num(10), time.Second)
	sample("acme", "shop-7-b", 7, record.Num(30), 2*time.Second)
	sample("acme", "shop-7-b", 7, record.Number{}, 3*time.Second)
	sample("acme", "shop-7-b", 7, record.Num(80), 2*time.Minute)
	sample("acme", "shop-6-a", 6, record.Num(90), time.Second)
	sample("foreign", "shop-7-a", 7, record.Num(90), time.Second)
	b.waitFor(t, sinktest.Publish(t, b.stream, all...))
	f, err := b.query.Memory(t.Context(), "acme", "shop", 7, from, from.Add(time.Minute))
	if want := (paas.MemoryFigures{Samples: 2, Mean: 20, Peak: 30}); err != nil || f != want {
		t.Errorf("got %+v, %v", f, err)
	}
	if f, err := b.query.Memory(t.Context(), "acme", "shop", 8, from, from.Add(time.Minute)); err != nil || f != (paas.MemoryFigures{}) {
		t.Errorf("of a release without samples %+v, %v", f, err)
	}
}
