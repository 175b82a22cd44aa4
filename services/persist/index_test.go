package persist

import (
	"regexp"
	"testing"
	"time"

	"kurama/services/sink/sinktest"
)

// A partition is attached as a table of its own: it must get the form of its
// parent's index and columns, and queries of one app must use it.
func TestPartitionsHaveTheParentsIndex(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", 1, time.Now())))
	var partitions, indexed, collated int
	err := b.pool.QueryRow(t.Context(), `SELECT count(*),
		count(*) FILTER (WHERE EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
			WHERE i.indrelid = h.inhrelid AND 'deduplicate_items=off' = ANY(x.reloptions))),
		count(*) FILTER (WHERE (SELECT count(*) FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
			WHERE a.attrelid = h.inhrelid AND a.attname IN ('tenant', 'app') AND c.collname = 'C') = 2)
		FROM pg_inherits h WHERE h.inhparent = 'records'::regclass`).Scan(&partitions, &indexed, &collated)
	if err != nil || partitions < 2 || indexed != partitions || collated != partitions {
		t.Errorf("%d partitions, %d with the index, %d with the collation, %v", partitions, indexed, collated, err)
	}
	conn, err := b.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "SET enable_seqscan = off; SET enable_bitmapscan = off"); err != nil {
		t.Fatal(err)
	}
	var plan []byte
	err = conn.QueryRow(t.Context(), `EXPLAIN (FORMAT json) SELECT msg FROM records WHERE tenant = 'acme' AND app = 'shop' ORDER BY ts DESC LIMIT 1`).Scan(&plan)
	if err != nil || !containsIndexCond(plan) {
		t.Errorf("the plan is %s, %v", plan, err)
	}
}

func containsIndexCond(plan []byte) bool {
	return regexp.MustCompile(`"Index Cond": "\(\(tenant = 'acme'::text\) AND \(app = 'shop'::text\)`).Match(plan)
}
