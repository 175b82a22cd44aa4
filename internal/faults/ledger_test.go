package faults

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"kurama/logship/record"
	"kurama/services/archive"
)

// arrival bounds how long the last record may take to every sink once the
// fault is over.
const arrival = 90 * time.Second

// series is a run of numbered records 0…n-1 of one sender.
type series struct {
	app, name string
	n         int
}

// numbers are what a sink holds of a series, in its order.
type numbers []int

// add takes the message of a record; one of another series is passed over.
func (list *numbers) add(series, msg string) {
	head, _, _ := strings.Cut(msg, " ")
	name, number, _ := strings.Cut(head, ":")
	if n, err := strconv.Atoi(number); err == nil && name == series {
		*list = append(*list, n)
	}
}

// check tells what is wrong with a series: numbers that are missing, doubled
// or out of order.
func (list numbers) check(want series) error {
	times := map[int]int{}
	var doubled, missing, disorder []int
	for i, n := range list {
		times[n]++
		if times[n] == 2 {
			doubled = append(doubled, n)
		}
		if i > 0 && n < list[i-1] {
			disorder = append(disorder, n)
		}
	}
	for n := range want.n {
		if times[n] == 0 {
			missing = append(missing, n)
		}
	}
	if len(list) == want.n && len(doubled)+len(missing)+len(disorder) == 0 {
		return nil
	}
	return fmt.Errorf("series %s of %s: %d records of %d; missing %s; doubled %s; out of order %s", want.name, want.app, len(list), want.n,
		few(missing), few(doubled), few(disorder))
}

// few shows the first numbers of a list.
func few(list []int) string {
	if len(list) > 8 {
		return fmt.Sprintf("%d from %v…", len(list), list[:8])
	}
	return fmt.Sprint(list)
}

// verify waits until every sink has what was sent and checks each number.
func (in *installation) verify(all ...series) {
	in.t.Helper()
	for _, s := range all {
		in.awaitStored(s.app, s.name, s.n)
		stored, err := in.stored(s.app, s.name)
		must(in.t, err)
		if err := stored.check(s); err != nil {
			in.t.Errorf("Postgres: %v", err)
		}
		if err := in.archived(s.app, s.name, s.n).check(s); err != nil {
			in.t.Errorf("archive: %v", err)
		}
	}
}

// awaitStored waits until Postgres holds n records of a series.
func (in *installation) awaitStored(app, series string, n int) {
	in.t.Helper()
	eventually(in.t, arrival, func() error {
		var have, told int
		err := in.pool.QueryRow(in.t.Context(), `SELECT count(*) FILTER (WHERE msg LIKE $3 || ':%'),
			coalesce(sum((extra->>'count')::int) FILTER (WHERE extra->>'event' = 'dropped'), 0) FROM records WHERE tenant = $1 AND app = $2`,
			tenant, app, series).Scan(&have, &told)
		if err == nil && have < n {
			err = fmt.Errorf("Postgres holds %d records of series %s of %s, %d were sent (of the app, %d were told to be dropped)", have, series, app, n, told)
		}
		return err
	})
}

// stored reads the numbers of a series from Postgres in the order of the
// stream. Within a batch the order is that of the numbers: rows of one batch
// have no order of their own, and the archive shows it.
func (in *installation) stored(app, series string) (numbers, error) {
	rows, err := in.pool.Query(in.t.Context(), `SELECT msg, id FROM records WHERE tenant = $1 AND app = $2 AND msg LIKE $3 || ':%'
		ORDER BY seq, split_part(split_part(msg, ' ', 1), ':', 2)::bigint`, tenant, app, series)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list numbers
	ids := map[[16]byte]bool{}
	for rows.Next() {
		var msg string
		var id [16]byte
		if err := rows.Scan(&msg, &id); err != nil {
			return nil, err
		}
		if ids[id] {
			return nil, fmt.Errorf("Postgres holds id %x of %s twice", id, app)
		}
		ids[id] = true
		list.add(series, msg)
	}
	return list, rows.Err()
}

// archived waits until the archive hands out n records of a series, and reads
// them in the order of the files.
func (in *installation) archived(app, series string, n int) numbers {
	in.t.Helper()
	reader := archive.NewReader(in.folders.Sub("archive"), in.folders.Socket("archive.sock"), slog.New(slog.DiscardHandler))
	var list numbers
	eventually(in.t, arrival, func() error {
		var err error
		if list, err = download(in.t.Context(), reader, app, series); err != nil {
			return err
		}
		if len(list) < n {
			return fmt.Errorf("the archive holds %d records of series %s of %s, %d were sent", len(list), series, app, n)
		}
		return nil
	})
	if err := reader.Verify(in.t.Context(), tenant, app, func(archive.File, error) error { return nil }); err != nil {
		in.t.Errorf("archive of %s: %v", app, err)
	}
	return list
}

func download(ctx context.Context, reader *archive.Reader, app, series string) (numbers, error) {
	out, in := io.Pipe()
	go func() {
		in.CloseWithError(reader.Download(ctx, in, archive.Request{Tenant: tenant, App: app}))
	}()
	defer func() { _ = out.Close() }()
	var list numbers
	ids := map[record.ID]bool{}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	var r record.Record
	for lines.Scan() {
		if err := record.Decode(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("a line of the archive is no record: %w", err)
		}
		if ids[r.ID] {
			return nil, fmt.Errorf("the archive holds id %s of %s twice", r.ID, app)
		}
		ids[r.ID] = true
		list.add(series, r.Msg)
	}
	return list, lines.Err()
}

// rolledUp checks that the rollups count each request of app once.
func (in *installation) rolledUp(app string, n int) {
	in.t.Helper()
	eventually(in.t, arrival, func() error {
		var have int
		err := in.pool.QueryRow(in.t.Context(), `SELECT coalesce(sum(requests), 0) FROM rollups WHERE tenant = $1 AND app = $2`, tenant, app).Scan(&have)
		if err == nil && have != n {
			err = fmt.Errorf("the rollups count %d requests of %s, %d were sent", have, app, n)
		}
		return err
	})
}
