import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Millrace } from '../harness/millrace.ts';

/** Java's own client with its defaults, which asks for HTTP/2 on every connection. */

const java = spawnSync('java', ['-version']).status === 0;

const PROGRAM = `
import java.net.URI;
import java.net.http.*;

public class Client {
  public static void main(String[] args) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    URI base = URI.create(args[0]);
    for (int i = 0; i < 3; i++) {
      HttpResponse<String> info = client.send(
        HttpRequest.newBuilder(base.resolve("/info")).build(), HttpResponse.BodyHandlers.ofString());
      System.out.println(info.statusCode() + " " + info.body().contains("KsqlServerInfo"));
      HttpResponse<String> list = client.send(
        HttpRequest.newBuilder(base.resolve("/ksql"))
          .POST(HttpRequest.BodyPublishers.ofString("{\\"ksql\\":\\"LIST STREAMS;\\"}")).build(),
        HttpResponse.BodyHandlers.ofString());
      System.out.println(list.statusCode() + " " + list.body().contains("streams"));
    }
  }
}
`;

test.skipIf(!java)('Java’s HttpClient is served; java is missing where this is skipped', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-java-'));
  const server = new Millrace(['server', '--port', '0']);
  try {
    await server.until(() => server.stdout.includes('\n'), 'it listens');
    const file = join(directory, 'Client.java');
    writeFileSync(file, PROGRAM);
    const run = spawnSync('java', [file, /http:\/\/\S+/.exec(server.stdout)![0]], { timeout: 60_000 });
    expect(run.stderr.toString()).toBe('');
    expect(run.stdout.toString().trim().split('\n')).toEqual(Array.from({ length: 6 }, () => '200 true'));
  } finally {
    await server.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});
