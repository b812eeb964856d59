import type { IParserErrorMessageProvider } from 'chevrotain';
import { QueryParser } from './queries.ts';
import * as t from './tokens.ts';

/** The whole language: statements over the rules of queries and expressions. */
export class SqlParser extends QueryParser {
  /** `validate` makes Chevrotain check the grammar itself, which is slow and for tests and the generator. */
  constructor(
    options: {
      validate?: boolean;
      errorMessageProvider?: IParserErrorMessageProvider;
    } = {},
  ) {
    super(options.validate === true, options.errorMessageProvider);
    this.performSelfAnalysis();
  }

  /** One statement and the semicolon that ends it. */
  terminatedStatement = this.RULE('terminatedStatement', () => {
    this.SUBRULE(this.statement);
    this.CONSUME(t.Semicolon);
  });

  statement = this.RULE('statement', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.query) },
      { ALT: () => this.SUBRULE(this.createStatement) },
      { ALT: () => this.SUBRULE(this.insertStatement) },
      { ALT: () => this.SUBRULE(this.alterStatement) },
      { ALT: () => this.SUBRULE(this.dropStatement) },
      { ALT: () => this.SUBRULE(this.showStatement) },
      { ALT: () => this.SUBRULE(this.describeStatement) },
      { ALT: () => this.SUBRULE(this.explainStatement) },
      { ALT: () => this.SUBRULE(this.printStatement) },
      { ALT: () => this.SUBRULE(this.controlStatement) },
      { ALT: () => this.SUBRULE(this.setStatement) },
      { ALT: () => this.SUBRULE(this.unsetStatement) },
      { ALT: () => this.SUBRULE(this.defineStatement) },
      { ALT: () => this.SUBRULE(this.undefineStatement) },
      { ALT: () => this.SUBRULE(this.assertStatement) },
      { ALT: () => this.SUBRULE(this.runScriptStatement) },
    ]);
  });

  // ----------------------------------------------------------------------------------------------- shared parts

  ifNotExists = this.RULE('ifNotExists', () => {
    this.CONSUME(t.If);
    this.CONSUME(t.Not);
    this.CONSUME(t.Exists);
  });

  ifExists = this.RULE('ifExists', () => {
    this.CONSUME(t.If);
    this.CONSUME(t.Exists);
  });

  tableElements = this.RULE('tableElements', () => {
    this.CONSUME(t.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.tableElement) });
    this.CONSUME(t.RightParen);
  });

  tableElement = this.RULE('tableElement', () => {
    this.SUBRULE(this.identifier);
    this.SUBRULE(this.type);
    this.OPTION(() => this.SUBRULE(this.columnConstraint));
  });

  columnConstraint = this.RULE('columnConstraint', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Key) },
      {
        ALT: () => {
          this.CONSUME(t.Primary);
          this.CONSUME2(t.Key);
        },
      },
      { ALT: () => this.CONSUME(t.Headers) },
      {
        ALT: () => {
          this.CONSUME(t.Header);
          this.CONSUME(t.LeftParen);
          this.CONSUME(t.StringLiteral);
          this.CONSUME(t.RightParen);
        },
      },
    ]);
  });

  withProperties = this.RULE('withProperties', () => {
    this.CONSUME(t.With);
    this.CONSUME(t.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.withProperty) });
    this.CONSUME(t.RightParen);
  });

  withProperty = this.RULE('withProperty', () => {
    this.OR([{ ALT: () => this.CONSUME(t.Identifier) }, { ALT: () => this.CONSUME(t.StringLiteral) }]);
    this.CONSUME(t.Equal);
    this.SUBRULE(this.literal);
  });

  columnList = this.RULE('columnList', () => {
    this.CONSUME(t.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.identifier) });
    this.CONSUME(t.RightParen);
  });

  rowValues = this.RULE('rowValues', () => {
    this.CONSUME(t.LeftParen);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.expression) });
    this.CONSUME(t.RightParen);
  });

  /** A topic or subject: a name that keeps its case, or a string. */
  resourceName = this.RULE('resourceName', () => {
    this.OR([{ ALT: () => this.CONSUME(t.Identifier) }, { ALT: () => this.CONSUME(t.StringLiteral) }]);
  });

  // ------------------------------------------------------------------------------------------------ definitions

  createStatement = this.RULE('createStatement', () => {
    this.CONSUME(t.Create);
    this.OPTION(() => {
      this.CONSUME(t.Or);
      this.CONSUME(t.Replace);
    });
    this.OR([
      { ALT: () => this.SUBRULE(this.createSource) },
      {
        ALT: () => {
          this.CONSUME(t.Source);
          this.OR2([
            { ALT: () => this.SUBRULE2(this.createSource) },
            { ALT: () => this.SUBRULE(this.createConnector) },
          ]);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Sink);
          this.SUBRULE2(this.createConnector);
        },
      },
      { ALT: () => this.SUBRULE(this.createType) },
      { ALT: () => this.SUBRULE(this.createFunction) },
    ]);
  });

  createSource = this.RULE('createSource', () => {
    this.CONSUME(t.SourceKindWord);
    this.OPTION({ GATE: () => this.nextIs(2, t.Not), DEF: () => this.SUBRULE(this.ifNotExists) });
    this.SUBRULE(this.identifier);
    this.OPTION2(() => this.SUBRULE(this.tableElements));
    this.OPTION3(() => this.SUBRULE(this.withProperties));
    this.OPTION4(() => {
      this.CONSUME(t.As);
      this.SUBRULE(this.query);
    });
  });

  createConnector = this.RULE('createConnector', () => {
    this.CONSUME(t.Connector);
    this.OPTION({ GATE: () => this.nextIs(2, t.Not), DEF: () => this.SUBRULE(this.ifNotExists) });
    this.SUBRULE(this.identifier);
    this.SUBRULE(this.withProperties);
  });

  createType = this.RULE('createType', () => {
    this.CONSUME(t.Type);
    this.OPTION({ GATE: () => this.nextIs(2, t.Not), DEF: () => this.SUBRULE(this.ifNotExists) });
    this.SUBRULE(this.identifier);
    this.CONSUME(t.As);
    this.SUBRULE(this.type);
  });

  createFunction = this.RULE('createFunction', () => {
    this.OPTION(() => this.CONSUME(t.Aggregate));
    this.CONSUME(t.FunctionWord);
    this.OPTION2({ GATE: () => this.nextIs(2, t.Not), DEF: () => this.SUBRULE(this.ifNotExists) });
    this.SUBRULE(this.identifier);
    this.CONSUME(t.LeftParen);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.functionParameter) });
    this.CONSUME(t.RightParen);
    this.CONSUME(t.Returns);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Table);
          this.CONSUME2(t.LeftParen);
          this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.functionColumn) });
          this.CONSUME2(t.RightParen);
        },
      },
      { ALT: () => this.SUBRULE(this.type, { LABEL: 'returns' }) },
    ]);
    this.OPTION3(() => {
      this.CONSUME(t.State);
      this.SUBRULE2(this.type, { LABEL: 'state' });
    });
    this.CONSUME(t.Language);
    this.SUBRULE2(this.identifier, { LABEL: 'language' });
    this.OPTION4(() => this.CONSUME(t.Strict));
    this.CONSUME(t.As);
    this.OR2([{ ALT: () => this.CONSUME(t.DollarString) }, { ALT: () => this.CONSUME(t.StringLiteral) }]);
  });

  /** Its name is the code's, and keeps its case. */
  functionParameter = this.RULE('functionParameter', () => {
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.type);
  });

  functionColumn = this.RULE('functionColumn', () => {
    this.SUBRULE(this.identifier);
    this.SUBRULE(this.type);
  });

  alterStatement = this.RULE('alterStatement', () => {
    this.CONSUME(t.Alter);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.System);
          this.CONSUME(t.StringLiteral, { LABEL: 'property' });
          this.CONSUME(t.Equal);
          this.CONSUME2(t.StringLiteral, { LABEL: 'setting' });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.SourceKindWord);
          this.SUBRULE(this.identifier);
          this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.addColumn) });
        },
      },
    ]);
  });

  addColumn = this.RULE('addColumn', () => {
    this.CONSUME(t.Add);
    // A column may be called COLUMN: it is the noise word only when a name and a type follow.
    this.OPTION({
      GATE: () => this.nextIs(2, t.Identifier) && this.nextIs(3, t.Identifier),
      DEF: () => this.CONSUME(t.Column),
    });
    this.SUBRULE(this.identifier);
    this.SUBRULE(this.type);
  });

  dropStatement = this.RULE('dropStatement', () => {
    this.CONSUME(t.Drop);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.SourceKindWord);
          this.OPTION({ GATE: () => this.nextIs(2, t.Exists), DEF: () => this.SUBRULE(this.ifExists) });
          this.SUBRULE(this.identifier);
          this.OPTION2(() => {
            this.CONSUME(t.Delete);
            this.CONSUME(t.Topic);
          });
        },
      },
      {
        ALT: () => {
          this.OR2([
            { ALT: () => this.CONSUME(t.Connector) },
            { ALT: () => this.CONSUME(t.Type) },
            { ALT: () => this.CONSUME(t.FunctionWord) },
          ]);
          this.OPTION3({ GATE: () => this.nextIs(2, t.Exists), DEF: () => this.SUBRULE2(this.ifExists) });
          this.SUBRULE2(this.identifier);
        },
      },
    ]);
  });

  insertStatement = this.RULE('insertStatement', () => {
    this.CONSUME(t.Insert);
    this.CONSUME(t.Into);
    this.SUBRULE(this.identifier);
    this.OR([
      {
        ALT: () => {
          this.OPTION(() => this.SUBRULE(this.columnList));
          this.CONSUME(t.Values);
          this.SUBRULE(this.rowValues);
        },
      },
      {
        ALT: () => {
          this.OPTION2(() => this.SUBRULE(this.withProperties));
          this.SUBRULE(this.query);
        },
      },
    ]);
  });

  // --------------------------------------------------------------------------------------------- looking around

  showStatement = this.RULE('showStatement', () => {
    this.OR([{ ALT: () => this.CONSUME(t.Show) }, { ALT: () => this.CONSUME(t.List) }]);
    this.OR2([
      {
        ALT: () => {
          this.OPTION(() => this.CONSUME(t.All));
          this.CONSUME(t.Topics);
          this.OPTION2(() => this.CONSUME(t.Extended));
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.SourcesWord);
          this.OPTION3(() => this.CONSUME2(t.Extended));
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Queries);
          this.OPTION4(() => this.CONSUME3(t.Extended));
        },
      },
      {
        ALT: () => {
          this.OPTION5(() =>
            this.OR3([{ ALT: () => this.CONSUME(t.Source) }, { ALT: () => this.CONSUME(t.Sink) }]),
          );
          this.CONSUME(t.Connectors);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Connector);
          this.CONSUME(t.Plugins);
        },
      },
      { ALT: () => this.CONSUME(t.Functions) },
      { ALT: () => this.CONSUME(t.Properties) },
      { ALT: () => this.CONSUME(t.Types) },
      { ALT: () => this.CONSUME(t.Variables) },
    ]);
  });

  describeStatement = this.RULE('describeStatement', () => {
    this.CONSUME(t.Describe);
    this.OR({
      DEF: [
        {
          // A source may be called FUNCTION or CONNECTOR; then no name follows.
          GATE: () => this.nextIs(2, t.Identifier),
          ALT: () => {
            this.OR2([{ ALT: () => this.CONSUME(t.FunctionWord) }, { ALT: () => this.CONSUME(t.Connector) }]);
            this.SUBRULE(this.identifier);
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.SourcesWord);
            this.OPTION(() => this.CONSUME(t.Extended));
          },
        },
        {
          ALT: () => {
            this.SUBRULE2(this.identifier, { LABEL: 'source' });
            this.OPTION2(() => this.CONSUME2(t.Extended));
          },
        },
      ],
      IGNORE_AMBIGUITIES: true,
    });
  });

  explainStatement = this.RULE('explainStatement', () => {
    this.CONSUME(t.Explain);
    this.OR({
      DEF: [
        {
          // One word alone is a query id, also when a statement could begin with it.
          GATE: () => this.nextIs(2, t.Semicolon) || this.LA(2).tokenType.name === 'EOF',
          ALT: () => this.SUBRULE(this.identifier),
        },
        {
          ALT: () => {
            this.enter();
            this.SUBRULE(this.statement);
            this.leave();
          },
        },
      ],
      IGNORE_AMBIGUITIES: true,
    });
  });

  printStatement = this.RULE('printStatement', () => {
    this.CONSUME(t.Print);
    this.SUBRULE(this.resourceName);
    this.OPTION(() => {
      this.CONSUME(t.From);
      this.CONSUME(t.Beginning);
    });
    this.OPTION2(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Interval) }, { ALT: () => this.CONSUME(t.Sample) }]);
      this.CONSUME(t.IntegerLiteral, { LABEL: 'interval' });
    });
    this.OPTION3(() => {
      this.CONSUME(t.Limit);
      this.CONSUME2(t.IntegerLiteral, { LABEL: 'limit' });
    });
  });

  // ---------------------------------------------------------------------------------------------------- control

  controlStatement = this.RULE('controlStatement', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Terminate) },
      { ALT: () => this.CONSUME(t.Pause) },
      { ALT: () => this.CONSUME(t.Resume) },
    ]);
    this.OR2([{ ALT: () => this.CONSUME(t.All) }, { ALT: () => this.SUBRULE(this.identifier) }]);
  });

  setStatement = this.RULE('setStatement', () => {
    this.CONSUME(t.SetWord);
    this.CONSUME(t.StringLiteral, { LABEL: 'property' });
    this.CONSUME(t.Equal);
    this.CONSUME2(t.StringLiteral, { LABEL: 'setting' });
  });

  unsetStatement = this.RULE('unsetStatement', () => {
    this.CONSUME(t.Unset);
    this.CONSUME(t.StringLiteral, { LABEL: 'property' });
  });

  defineStatement = this.RULE('defineStatement', () => {
    this.CONSUME(t.Define);
    this.SUBRULE(this.identifier);
    this.CONSUME(t.Equal);
    this.CONSUME(t.StringLiteral);
  });

  undefineStatement = this.RULE('undefineStatement', () => {
    this.CONSUME(t.Undefine);
    this.SUBRULE(this.identifier);
  });

  assertStatement = this.RULE('assertStatement', () => {
    this.CONSUME(t.Assert);
    this.OR([
      {
        ALT: () => {
          this.OPTION(() => {
            this.CONSUME(t.Not);
            this.CONSUME(t.Exists);
          });
          this.OR2([
            { ALT: () => this.SUBRULE(this.assertTopic) },
            { ALT: () => this.SUBRULE(this.assertSchema) },
          ]);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Values);
          this.SUBRULE(this.identifier);
          this.OPTION2(() => this.SUBRULE(this.columnList));
          this.CONSUME2(t.Values);
          this.SUBRULE(this.rowValues);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Null);
          this.CONSUME3(t.Values);
          this.SUBRULE2(this.identifier);
          this.OPTION3(() => this.SUBRULE2(this.columnList));
          this.CONSUME(t.Key);
          this.SUBRULE2(this.rowValues);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.SourceKindWord);
          this.SUBRULE3(this.identifier);
          this.OPTION4(() => this.SUBRULE(this.tableElements));
          this.OPTION5(() => this.SUBRULE(this.withProperties));
        },
      },
    ]);
  });

  assertTopic = this.RULE('assertTopic', () => {
    this.CONSUME(t.Topic);
    this.SUBRULE(this.resourceName);
    this.OPTION(() => this.SUBRULE(this.withProperties));
    this.OPTION2(() => this.SUBRULE(this.timeout));
  });

  assertSchema = this.RULE('assertSchema', () => {
    this.CONSUME(t.Schema);
    this.OPTION(() => {
      this.CONSUME(t.Subject);
      this.SUBRULE(this.resourceName);
    });
    this.OPTION2(() => {
      this.CONSUME(t.Id);
      this.CONSUME(t.IntegerLiteral);
    });
    this.OPTION3(() => this.SUBRULE(this.timeout));
  });

  timeout = this.RULE('timeout', () => {
    this.CONSUME(t.Timeout);
    this.SUBRULE(this.duration);
  });

  runScriptStatement = this.RULE('runScriptStatement', () => {
    this.CONSUME(t.Run);
    this.CONSUME(t.Script);
    this.CONSUME(t.StringLiteral);
  });
}
