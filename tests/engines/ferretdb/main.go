// Command ferretdb answers MongoDB's wire protocol from SQLite files, for tests where there is no mongod.
//
// The embedded FerretDB neither reports telemetry nor opens its debug port.
package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "address to listen on, as `host:port`")
	data := flag.String("data", ".", "existing `directory` of the SQLite files")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	if err := serve(ctx, *listen, *data); err != nil {
		log.Fatal(err)
	}
}

// serve answers on the address until ctx is done.
func serve(ctx context.Context, address, data string) error {
	clients, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	defer clients.Close()

	socket := filepath.Join(data, "ferretdb.sock")
	if err = os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) { // kill -9 leaves it
		return err
	}

	// What a killed process wrote is the operating system's to keep; only a power cut would need fsync.
	files := url.URL{Scheme: "file", OmitHost: true, Path: data + "/", RawQuery: "_pragma=synchronous(off)"}

	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Handler:   "sqlite",
		SQLiteURL: files.String(),
	})
	if err != nil {
		return err
	}

	// FerretDB ends after the relay, which has answered its clients by then.
	running, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(running) }()

	err = (&relay{upstream: socket}).run(ctx, clients)
	end()

	return errors.Join(err, <-ended)
}
