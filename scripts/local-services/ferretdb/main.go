// Command ferretdb is the local MongoDB-compatible server: FerretDB on SQLite files, embedded through its public
// package, because its own command panics when it is built as a module.
//
// It ends on SIGINT, on SIGTERM and when its standard input closes, so that it never outlives the process that
// holds the other end of that pipe.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

const ferretModule = "github.com/FerretDB/FerretDB"

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "address to listen on, host:port")
	data := flag.String("data", "data", "folder of the SQLite files; it must exist")
	version := flag.Bool("version", false, "print the version of FerretDB and exit")
	flag.Parse()
	if *version {
		fmt.Println("ferretdb", moduleVersion(ferretModule))
		return
	}
	if err := serve(*listen, *data); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

func serve(listen, data string) error {
	// A relative address keeps characters such as % and ? in the folder's path out of the SQLite URI.
	if err := os.Chdir(data); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: listen},
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Handler:   "sqlite",
		SQLiteURL: "file:./",
	})
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == path {
			return module.Version
		}
	}
	return "unknown"
}
