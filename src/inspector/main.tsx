import './style.css';
import { render } from 'preact';
import { App } from './app.js';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for the inspector');
root.replaceChildren();
// As one file, the page has no service, and contacts no server.
render(<App alone={document.documentElement.hasAttribute('data-alone')} />, root);
