package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
)

// A disk is a block device with a cache that loses its content with the power.
// It is one file of a FUSE file system that this process serves, with a loop
// device and an ext4 on it: the kernel's own fsync reaches it as FSYNC, which
// is when writes become safe. At a cut any of the others may be lost, as on a
// disk that writes its cache in an order of its own.
type disk struct {
	t    testing.TB
	dir  string // where the FUSE file system is mounted
	fuse *os.File
	loop string // device
	done chan struct{}

	mu     sync.Mutex
	safe   []byte  // what a cut of the power leaves for sure
	now    []byte  // what a read sees
	cached []write // since the last flush, oldest first
	writes int
	syncs  int
}

type write struct {
	at   int64
	data []byte
}

// newDisk makes a disk with the content of image, whose length it has.
func newDisk(t testing.TB, image []byte) *disk {
	t.Helper()
	d := &disk{t: t, safe: image, now: anonymous(t, len(image)), done: make(chan struct{})}
	copySparse(d.now, image)
	var err error
	d.dir, err = os.MkdirTemp("", "kf-disk-")
	must(t, err)
	d.fuse, err = os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	must(t, err)
	must(t, syscall.Mount("kurama-disk", d.dir, "fuse", syscall.MS_NOSUID|syscall.MS_NODEV,
		fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", d.fuse.Fd())))
	go d.serve()
	d.loop = run(t, "losetup", "--find", "--show", d.dir+"/disk")
	return d
}

// anonymous returns n bytes of zeros that take memory only where they are
// written.
func anonymous(t testing.TB, n int) []byte {
	t.Helper()
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	must(t, err)
	return b
}

// copySparse copies src over zeros and leaves out what is zero.
func copySparse(dst, src []byte) {
	var zero [4096]byte
	for i := 0; i < len(src); i += len(zero) {
		if page := src[i:min(i+len(zero), len(src))]; string(page) != string(zero[:len(page)]) {
			copy(dst[i:], page)
		}
	}
}

// cut returns what is on the disk if the power goes now: all that was flushed,
// and of the rest what the dice let through.
func (d *disk) cut(dice *rand.Rand) (image []byte, lost, cached int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	image = anonymous(d.t, len(d.safe))
	copySparse(image, d.safe)
	keep := dice.IntN(3) // of three: none, about half, all but a few
	for _, w := range d.cached {
		if keep == 0 || dice.IntN(8) >= 4*keep-1 {
			lost++
			continue
		}
		copy(image[w.at:], w.data)
	}
	return image, lost, len(d.cached)
}

// remove takes the disk out. Nothing may be mounted on it any more.
func (d *disk) remove() {
	d.t.Helper()
	run(d.t, "losetup", "--detach", d.loop)
	eventually(d.t, arrival, func() error { return syscall.Unmount(d.dir, 0) })
	<-d.done
	_ = d.fuse.Close()
	must(d.t, os.Remove(d.dir))
	must(d.t, errors.Join(syscall.Munmap(d.safe), syscall.Munmap(d.now)))
}

func (d *disk) read(at int64, n int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	at = min(at, int64(len(d.now)))
	end := min(at+int64(n), int64(len(d.now)))
	return append([]byte(nil), d.now[at:end]...)
}

func (d *disk) write(at int64, data []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at < 0 || at+int64(len(data)) > int64(len(d.now)) {
		return false
	}
	copy(d.now[at:], data)
	d.cached = append(d.cached, write{at, append([]byte(nil), data...)})
	d.writes++
	return true
}

func (d *disk) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.cached {
		copy(d.safe[w.at:], w.data)
	}
	d.cached = nil
	d.syncs++
}

// The part of the FUSE protocol (linux/fuse.h) that one file needs.
const (
	opLookup   = 1
	opForget   = 2
	opGetattr  = 3
	opSetattr  = 4
	opOpen     = 14
	opRead     = 15
	opWrite    = 16
	opStatfs   = 17
	opRelease  = 18
	opFsync    = 20
	opFlush    = 25
	opInit     = 26
	opDestroy  = 38
	opForgets  = 42
	rootNode   = 1
	diskNode   = 2
	maxWrite   = 1 << 20
	headerSize = 40
)

// serve answers the kernel until the file system is unmounted.
func (d *disk) serve() {
	defer close(d.done)
	buf := make([]byte, maxWrite+4096)
	for {
		n, err := syscall.Read(int(d.fuse.Fd()), buf)
		if errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.ENOENT) {
			continue
		}
		if err != nil {
			return // ENODEV: unmounted
		}
		op, unique := binary.LittleEndian.Uint32(buf[4:]), binary.LittleEndian.Uint64(buf[8:])
		if op == opForget || op == opForgets {
			continue
		}
		body, errno := d.answer(op, binary.LittleEndian.Uint64(buf[16:]), buf[headerSize:n])
		reply := make([]byte, 16, 16+len(body))
		binary.LittleEndian.PutUint32(reply, uint32(16+len(body)))
		binary.LittleEndian.PutUint32(reply[4:], uint32(-int32(errno)))
		binary.LittleEndian.PutUint64(reply[8:], unique)
		_, _ = syscall.Write(int(d.fuse.Fd()), append(reply, body...)) // an interrupted request takes no answer
		if op == opDestroy {
			return
		}
	}
}

func (d *disk) answer(op uint32, node uint64, in []byte) (body []byte, errno syscall.Errno) {
	word := binary.LittleEndian
	switch op {
	case opInit:
		return d.initBody(in), 0
	case opLookup:
		if node != rootNode || string(in) != "disk\x00" {
			return nil, syscall.ENOENT
		}
		entry := make([]byte, 40)
		word.PutUint64(entry, diskNode)
		return append(entry, d.attributes(diskNode)...), 0
	case opGetattr, opSetattr:
		return append(make([]byte, 16), d.attributes(node)...), 0
	case opOpen:
		return make([]byte, 16), 0
	case opRead:
		return d.read(int64(word.Uint64(in[8:])), int(word.Uint32(in[16:]))), 0
	case opWrite:
		size := word.Uint32(in[16:])
		if !d.write(int64(word.Uint64(in[8:])), in[40:40+size]) {
			return nil, syscall.ENOSPC
		}
		return word.AppendUint64(nil, uint64(size)), 0
	case opFsync:
		d.flush()
		return nil, 0
	case opFlush, opRelease, opDestroy:
		return nil, 0
	case opStatfs:
		return make([]byte, 80), 0
	}
	return nil, syscall.ENOSYS
}

// initBody agrees on protocol 7.31 with writes of up to maxWrite bytes.
func (d *disk) initBody(in []byte) []byte {
	const bigWrites, maxPages = 1 << 5, 1 << 22
	word := binary.LittleEndian
	body := make([]byte, 64)
	word.PutUint32(body, 7)
	word.PutUint32(body[4:], 31)
	word.PutUint32(body[8:], word.Uint32(in[8:]))                        // read-ahead as offered
	word.PutUint32(body[12:], word.Uint32(in[12:])&(bigWrites|maxPages)) // flags
	word.PutUint16(body[16:], 64)                                        // requests in the background
	word.PutUint16(body[18:], 48)
	word.PutUint32(body[20:], maxWrite)
	word.PutUint32(body[24:], 1) // times in ns
	word.PutUint16(body[28:], maxWrite/4096)
	return body
}

func (d *disk) attributes(node uint64) []byte {
	word := binary.LittleEndian
	a := make([]byte, 88)
	word.PutUint64(a, node)
	mode := uint32(syscall.S_IFDIR | 0o755)
	if node == diskNode {
		mode = syscall.S_IFREG | 0o600
		word.PutUint64(a[8:], uint64(len(d.now)))
		word.PutUint64(a[16:], uint64(len(d.now)/512))
	}
	word.PutUint32(a[60:], mode)
	word.PutUint32(a[64:], 1)
	word.PutUint32(a[80:], 4096)
	return a
}
