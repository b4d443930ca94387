import { Component, type ReactNode } from 'react';
import { Failure } from './Failure.tsx';

const EXPLANATION = {
  title: 'This part of the page is missing',
  text: 'It could not be loaded: you may be offline, or there is a newer version of this page.',
  code: undefined,
  isRetryable: true,
  retryAfterSeconds: undefined,
};

interface Props {
  readonly children: ReactNode;
}

/** Explains that a part of the page could not be loaded, instead of an empty page. The button loads the page anew. */
export class ErrorBoundary extends Component<Props, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    return <Failure explanation={EXPLANATION} onRetry={() => window.location.reload()} />;
  }
}
