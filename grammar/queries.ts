import { ExpressionParser } from './expressions.ts';
import * as t from './tokens.ts';

/** SELECT and everything in it. */
export class QueryParser extends ExpressionParser {
  query = this.RULE('query', () => {
    this.CONSUME(t.Select);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.selectItem) });
    this.CONSUME(t.From);
    this.SUBRULE(this.source);
    this.MANY(() => this.SUBRULE(this.join));
    this.OPTION(() => this.SUBRULE(this.windowClause));
    this.OPTION2(() => {
      this.CONSUME(t.Where);
      this.SUBRULE(this.expression, { LABEL: 'where' });
    });
    this.OPTION3(() => {
      this.CONSUME(t.Group);
      this.CONSUME(t.By);
      this.SUBRULE(this.expressionList, { LABEL: 'groupBy' });
    });
    this.OPTION4(() => {
      this.CONSUME(t.Partition);
      this.CONSUME2(t.By);
      this.SUBRULE2(this.expressionList, { LABEL: 'partitionBy' });
    });
    this.OPTION5(() => {
      this.CONSUME(t.Having);
      this.SUBRULE2(this.expression, { LABEL: 'having' });
    });
    this.OPTION6(() => {
      this.CONSUME(t.Emit);
      this.OR([{ ALT: () => this.CONSUME(t.Changes) }, { ALT: () => this.CONSUME(t.Final) }]);
    });
    this.OPTION7(() => {
      this.CONSUME(t.Limit);
      this.CONSUME(t.IntegerLiteral);
    });
  });

  /** `a, b` or `(a, b)` */
  expressionList = this.RULE('expressionList', () => {
    this.OR({
      DEF: [
        {
          GATE: () => this.listIsNext(),
          ALT: () => {
            this.CONSUME(t.LeftParen);
            this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.expression) });
            this.CONSUME(t.RightParen);
          },
        },
        { ALT: () => this.AT_LEAST_ONE_SEP2({ SEP: t.Comma, DEF: () => this.SUBRULE2(this.expression) }) },
      ],
      IGNORE_AMBIGUITIES: true,
    });
  });

  selectItem = this.RULE('selectItem', () => {
    this.OR({
      DEF: [
        { ALT: () => this.CONSUME(t.Star) },
        {
          GATE: () => this.nextIs(2, t.Dot) && this.nextIs(3, t.Star),
          ALT: () => {
            this.CONSUME(t.Identifier, { LABEL: 'starSource' });
            this.CONSUME(t.Dot);
            this.CONSUME2(t.Star);
          },
        },
        {
          ALT: () => {
            this.SUBRULE(this.expression);
            this.OR2([
              {
                ALT: () => {
                  this.CONSUME(t.Arrow);
                  this.CONSUME3(t.Star);
                },
              },
              {
                ALT: () => {
                  this.OPTION(() => this.CONSUME(t.As));
                  this.CONSUME2(t.Identifier, { LABEL: 'alias' });
                },
              },
              { ALT: () => {} },
            ]);
          },
        },
      ],
      IGNORE_AMBIGUITIES: true,
    });
  });

  source = this.RULE('source', () => {
    this.SUBRULE(this.identifier);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.As);
          this.CONSUME(t.Identifier, { LABEL: 'alias' });
        },
      },
      {
        // EMIT and PARTITION may be names, but `EMIT CHANGES` (or a misspelling) and `PARTITION BY` are clauses.
        GATE: () =>
          !(this.nextIs(1, t.Emit) && this.nextIs(2, t.Identifier) && !this.nextIs(2, t.Partition, t.Emit)) &&
          !(this.nextIs(1, t.Partition) && this.nextIs(2, t.By)),
        ALT: () => this.CONSUME2(t.Identifier, { LABEL: 'alias' }),
      },
      { ALT: () => {} },
    ]);
  });

  join = this.RULE('join', () => {
    this.OPTION(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Inner) },
        {
          ALT: () => {
            this.OR2([
              { ALT: () => this.CONSUME(t.Left) },
              { ALT: () => this.CONSUME(t.Right) },
              { ALT: () => this.CONSUME(t.Full) },
            ]);
            this.OPTION2(() => this.CONSUME(t.Outer));
          },
        },
      ]);
    });
    this.CONSUME(t.Join);
    this.SUBRULE(this.source);
    this.OPTION3(() => this.SUBRULE(this.joinWindow));
    this.CONSUME(t.On);
    this.SUBRULE(this.expression);
  });

  joinWindow = this.RULE('joinWindow', () => {
    this.CONSUME(t.Within);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.LeftParen);
          this.SUBRULE(this.duration, { LABEL: 'before' });
          this.CONSUME(t.Comma);
          this.SUBRULE2(this.duration, { LABEL: 'after' });
          this.CONSUME(t.RightParen);
        },
      },
      { ALT: () => this.SUBRULE3(this.duration, { LABEL: 'before' }) },
    ]);
    this.OPTION(() => {
      this.CONSUME(t.Grace);
      this.CONSUME(t.Period);
      this.SUBRULE4(this.duration, { LABEL: 'grace' });
    });
  });

  windowClause = this.RULE('windowClause', () => {
    this.CONSUME(t.Window);
    // The window may be given a name, which nothing can refer to.
    this.OPTION({
      GATE: () => this.nextIs(2, t.Tumbling, t.Hopping, t.Session),
      DEF: () => this.CONSUME(t.Identifier),
    });
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Tumbling);
          this.CONSUME(t.LeftParen);
          this.CONSUME(t.Size);
          this.SUBRULE(this.duration, { LABEL: 'size' });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Hopping);
          this.CONSUME2(t.LeftParen);
          this.CONSUME2(t.Size);
          this.SUBRULE2(this.duration, { LABEL: 'size' });
          this.CONSUME(t.Comma);
          this.CONSUME(t.Advance);
          this.CONSUME(t.By);
          this.SUBRULE3(this.duration, { LABEL: 'advance' });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Session);
          this.CONSUME3(t.LeftParen);
          this.SUBRULE4(this.duration, { LABEL: 'size' });
        },
      },
    ]);
    this.OPTION2({
      GATE: () => this.nextIs(2, t.Retention),
      DEF: () => {
        this.CONSUME2(t.Comma);
        this.CONSUME(t.Retention);
        this.SUBRULE5(this.duration, { LABEL: 'retention' });
      },
    });
    this.OPTION3(() => {
      this.CONSUME3(t.Comma);
      this.CONSUME(t.Grace);
      this.CONSUME(t.Period);
      this.SUBRULE6(this.duration, { LABEL: 'grace' });
    });
    this.CONSUME(t.RightParen);
  });
}
