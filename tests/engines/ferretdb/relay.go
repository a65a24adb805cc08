package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	headerSize     = 16 // length, request id, response to, opcode; int32 each
	maxMessageSize = 48_000_000
	opMsg          = 2013
	moreToCome     = 1 << 1 // in a request: unacknowledged, no response is wanted
)

// locked are the commands that read and write, or change what others write to.
var locked = map[string]bool{
	"insert": true, "update": true, "delete": true, "findAndModify": true, "findandmodify": true,
	"create": true, "createIndexes": true, "drop": true, "dropDatabase": true, "dropIndexes": true,
	"renameCollection": true, "collMod": true,
}

// relay passes commands on to FerretDB, those that write one at a time.
//
// In MongoDB a write to one document is atomic. FerretDB 1 reads the document, changes it and writes it back
// without a lock or a transaction between: of 50 concurrent $inc as many as 44 were lost, and one document
// was claimed by two. With the relay a race that a test sees is a race of the code under test.
// Stricter than mongod in one way: a command that updates many documents is atomic as a whole.
type relay struct {
	upstream string // FerretDB's Unix socket
	writing  sync.Mutex
}

// run serves clients until ctx is done; then commands under way are still answered.
func (r *relay) run(ctx context.Context, clients net.Listener) error {
	context.AfterFunc(ctx, func() { clients.Close() })

	var connections sync.WaitGroup
	defer connections.Wait()

	for {
		client, err := clients.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}

		connections.Add(1)
		go func() {
			defer connections.Done()
			defer client.Close()
			r.serve(ctx, client)
		}()
	}
}

// serve answers one client, whose commands come one after the other, until it leaves or ctx is done.
func (r *relay) serve(ctx context.Context, client net.Conn) {
	server, err := net.Dial("unix", r.upstream)
	if err != nil {
		return
	}
	defer server.Close()

	idle := context.AfterFunc(ctx, func() { client.SetReadDeadline(time.Now()) })
	defer idle()

	for {
		request, err := readMessage(client)
		if err != nil {
			return
		}

		response, err := r.ask(server, request)
		if err != nil {
			return
		}

		if unacknowledged(request) {
			continue // FerretDB answers all the same
		}
		if _, err = client.Write(response); err != nil {
			return
		}
	}
}

// ask waits for FerretDB's response to the end even where the client has left, so that no write is under way
// when the next one begins.
func (r *relay) ask(server net.Conn, request []byte) ([]byte, error) {
	if locked[command(request)] {
		r.writing.Lock()
		defer r.writing.Unlock()
	}

	if _, err := server.Write(request); err != nil {
		return nil, err
	}

	return readMessage(server)
}

func readMessage(from io.Reader) ([]byte, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, err
	}

	size := int32At(header, 0)
	if size < headerSize || size > maxMessageSize {
		return nil, fmt.Errorf("a message of %d bytes", size)
	}

	message := append(header, make([]byte, size-headerSize)...)
	_, err := io.ReadFull(from, message[headerSize:])
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}

	return message, err
}

func unacknowledged(message []byte) bool {
	return int32At(message, 12) == opMsg && int32At(message, headerSize)&moreToCome != 0
}

// command is the name of the command: the first key of the document of the section of kind 0.
func command(message []byte) string {
	if int32At(message, 12) != opMsg {
		return "" // OP_QUERY, with which clients only say hello
	}

	for at := headerSize + 4; at < len(message); {
		if message[at] == 0 {
			at += 1 + 4 + 1 // kind, size of the document, type of its first value
			if at >= len(message) {
				return ""
			}
			name, _, _ := bytes.Cut(message[at:], []byte{0})

			return string(name)
		}

		size := int32At(message, at+1)
		if message[at] != 1 || size <= 0 {
			return ""
		}
		at += 1 + size
	}

	return ""
}

// int32At is 0 where the message is too short.
func int32At(message []byte, at int) int {
	if len(message) < at+4 {
		return 0
	}

	return int(int32(binary.LittleEndian.Uint32(message[at:])))
}
