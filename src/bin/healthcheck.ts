// For the image's HEALTHCHECK: exits with 0 if the server in this container responds, else with 1.
import { readEnvironment } from '../config/environment.ts';

try {
  const { PORT } = readEnvironment(process.env).variables;
  const response = await fetch(`http://127.0.0.1:${PORT?.trim() || '4000'}/livez`);
  process.exitCode = response.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
